/**
 * An API over a small node in memory, for tests of the API and of its clients.
 * Must not be loaded by a running node.
 * Read first: memory-api.ts, memory-services.ts.
 */
export { type MemoryApi, openMemoryApi } from './memory-api.ts'
export { createMemoryServices } from './memory-services.ts'
