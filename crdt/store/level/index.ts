/**
 * The store of a real node: LevelDB in a folder. A door of its own, so that a node without a disk loads no native addon.
 * Must not be reached through crdt/index.ts, or know what is kept.
 * Read first: level-store.ts, level-database.ts.
 */
export { createLevelStore, type LevelStoreOptions } from './level-store.ts'
