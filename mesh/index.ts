/**
 * Links between nodes: the Mesh port, and what carries it in memory; libp2p has a door of its own
 * (libp2p/index.ts), so that simulated nodes do not load it.
 * Must not know what the streams are for, decide who may join, or read a clock of its own.
 * Read first: mesh.ts, stream-link.ts.
 */
export { createFrameQueue, type FrameQueue } from './frame-queue.ts'
export type { Frame } from './frames.ts'
export { createMemoryNetwork, type MemoryMeshOptions, type MemoryNetwork } from './memory-mesh.ts'
export { linkSilenceMs, type Mesh, type MeshLink, type MeshStream, type PeerKey, type Priority } from './mesh.ts'
export { MeshError } from './mesh-error.ts'
export { createStreamLink, type StreamLink } from './stream-link.ts'
