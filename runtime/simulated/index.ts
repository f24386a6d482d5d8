/**
 * A machine made of data behind the Containers port, with faults on request. Must not read a clock, draw by chance or
 * touch the real machine. Read first: simulated-host.ts, simulated-containers.ts.
 */
export { createSimulatedHost } from './simulated-containers.ts'
export type { SimulatedHost } from './simulated-host.ts'
