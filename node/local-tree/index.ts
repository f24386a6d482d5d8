/**
 * A whole tree on one machine: laid out, started, stopped and removed; the commands `up` and `down`.
 * Must not know what nodes do, talk to an engine, or be imported by a node that runs.
 * Read first: tree-layout.ts, node-processes.ts.
 */
export { type DownPowers, downCommand } from './down.ts'
export { type HomeRecord, homeFile } from './home.ts'
export type { NodeRecord } from './node-processes.ts'
export { type NodeLayout, nodeFile } from './tree-layout.ts'
export { type UpPowers, upCommand } from './up.ts'
