/**
 * The machine's own powers as adapters: clocks, chance, log, small state files, image archives.
 * Must not decide anything. Read first: state-file.ts, archive-store.ts.
 */
export { type ArchiveStore, createArchiveStore } from './archive-store.ts'
export { createJsonLog } from './json-log.ts'
export { isProcessAlive } from './process-alive.ts'
export { takeProcessLock } from './process-lock.ts'
export { createStateFile, type StateFile } from './state-file.ts'
export { systemClock } from './system-clock.ts'
export { systemRandom } from './system-random.ts'
