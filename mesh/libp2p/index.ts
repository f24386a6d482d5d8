/**
 * The Mesh port over libp2p: TCP and WebSocket, Noise, Yamux, and the limits a node sets to callers.
 * Must not decide who may join, know what streams are for, or be loaded by a simulated node.
 * Read first: libp2p-mesh.ts, wire.ts.
 */
export { createLibp2pMesh, type Libp2pMesh, type Libp2pMeshOptions } from './libp2p-mesh.ts'
export type { Libp2pLimits } from './limits.ts'
export type { RefusalKind } from './refusals.ts'
