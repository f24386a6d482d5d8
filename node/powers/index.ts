/**
 * The machine's own powers as adapters: clocks, chance, log, small state files, blobs.
 * Must not decide anything. Read first: state-file.ts, blob-store.ts.
 */
export type { BlobFiles } from './blob-files.ts'
export {
  type ArchiveStore,
  type BlobLimits,
  type BlobStore,
  type BlobStoreOptions,
  createBlobStore,
  createBlobStoreOver,
  type KeptBlob,
  type Pins,
} from './blob-store.ts'
export { createJsonLog } from './json-log.ts'
export { isTimeTrusted, machineId, readJoinTokens } from './machine.ts'
export { createMemoryBlobDisk, type MemoryBlobDisk } from './memory-blob-files.ts'
export { isProcessAlive } from './process-alive.ts'
export { takeProcessLock } from './process-lock.ts'
export { createStateFile, decodeState, encodeState, type StateFile } from './state-file.ts'
export { systemClock } from './system-clock.ts'
export { systemRandom } from './system-random.ts'
