/**
 * Containers as ordinary processes, for a machine without containerd: supervised, logged, adopted after a restart of
 * the node. Must not pretend to isolate anything, listen anywhere but 127.0.0.1, or touch a process that does not carry
 * its token. Read first: process-containers.ts, supervisor.ts.
 */
export { createProcessContainers, type ProcessContainersOptions } from './process-containers.ts'
export { processLabel } from './process-images.ts'
