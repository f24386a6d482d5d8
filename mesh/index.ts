/**
 * Links between nodes: the Mesh port and what carries it (memory, local sockets).
 * Must not know what the streams are for, decide who may join, or read a clock of its own.
 * Read first: mesh.ts, stream-link.ts.
 */
export { createLocalMesh, type LocalMeshOptions } from './local-mesh.ts'
export { createMemoryNetwork, type MemoryNetwork } from './memory-mesh.ts'
export type { Mesh, MeshLink, MeshStream, PeerName } from './mesh.ts'
