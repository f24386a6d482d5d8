/**
 * The store of a node: keys and checked values in one place, on a disk or in memory.
 * Must not know what is kept, keep time of its own, or load a native addon: the LevelDB store has the door level/index.ts.
 * Read first: store.ts, memory-store.ts.
 */
export { createMemoryDisk, type MemoryDisk, type MemoryDiskFaults } from './memory-store.ts'
export type { ScanRange, Store, StoreChange, StoreEntry } from './store.ts'
export { StoreError, type StoreErrorCode } from './store-error.ts'
export { createTwiceKeptStore } from './twice-kept-store.ts'
