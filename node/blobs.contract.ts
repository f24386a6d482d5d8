import { createHash } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { createManualClock, createSeededRandom, type ManualClock, SkerryError, silentLog } from '../base/index.ts'
import { type BlobQuestion, type BlobReference, createBlobClient, createBlobServer } from './blobs.ts'
import type { LinkAnswer } from './links/index.ts'
import { type BlobStore, createBlobStoreOver, createMemoryBlobDisk, type Pins } from './powers/index.ts'

export const chunkBytes = 256 * 1024
export const bytesOf = (sizeBytes: number, filler = 1): Uint8Array => {
  const bytes = new Uint8Array(sizeBytes)
  for (let at = 0; at < sizeBytes; at++) bytes[at] = at * 7 + (at >> 8) + filler
  return bytes
}
export const nameOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
export const once = async function* (...pieces: readonly Uint8Array[]) {
  yield* pieces
}
export const readAll = async (chunks: AsyncIterable<Uint8Array>) => {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

/** A disk that forgets what was not synced, and stores on it. */
export const createDisk = () => {
  const disk = createMemoryBlobDisk()
  let saved: Pins | undefined
  const pinsFile = {
    load: () => saved,
    save: (value: Pins) => {
      saved = value
    },
  }
  const open = () => createBlobStoreOver({ files: disk.files(), pinsFile, random: createSeededRandom(1) })
  return { ...disk, open }
}
export const whole = bytesOf(3 * chunkBytes + 17)
export const name = nameOf(whole)
export const reference: BlobReference = {
  tenant: '0a'.repeat(16),
  document: '0b'.repeat(16),
  application: '0c'.repeat(16),
}
export const question: BlobQuestion = {
  v: 1,
  tenant: reference.tenant,
  digest: name,
  reference: { document: reference.document, application: reference.application },
  offset: 0,
}
export const quiet = () => new AbortController().signal
export const holding = async (...blobs: readonly Uint8Array[]): Promise<BlobStore> => {
  const store = createDisk().open()
  for (const bytes of blobs) await store.keep(once(bytes))
  return store
}
/** Settles what is settled without time going by. */
export const settle = async () => {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export type Ask = (question: BlobQuestion, signal: AbortSignal) => Promise<LinkAnswer>
/** Also remembers the questions. */
export const asking = (ask: Ask) => {
  const asked: BlobQuestion[] = []
  return {
    asked,
    ask: (one: BlobQuestion, signal: AbortSignal) => {
      asked.push(one)
      return ask(one, signal)
    },
  }
}
/** A parent that gives everything it holds, as if over a link. */
export const serving = (store: BlobStore): Ask => {
  const server = createBlobServer({ store, log: silentLog, mayHave: () => true })
  return (one, signal) => server.answer('p', JSON.parse(JSON.stringify(one)), signal)
}
export const clientOf = (store: BlobStore, ask: Ask, more: { atOnce?: number; clock?: ManualClock } = {}) =>
  createBlobClient({ store, ask, clock: createManualClock(), log: silentLog, ...more })
export const refusal = async (t: ExecutionContext, run: () => Promise<unknown>) => {
  const error = await t.throwsAsync(run, { instanceOf: SkerryError })
  return error instanceof SkerryError ? { code: error.code, message: error.message } : undefined
}
