import { pipe } from 'it-pipe'
import * as z from 'zod'
import { type Clock, errorText, type Log, SkerryError } from '../base/index.ts'
import type { LinkAnswer } from './links/index.ts'
import type { BlobStore } from './powers/index.ts'

/** Why the asker may read a blob: an entry it holds names it (docs/adr/0028-blobs.md). */
export interface BlobReference {
  /** Id of the tenant, in hexadecimal. */
  readonly tenant: string
  /** Id of the document that the asker may read, 32 hexadecimal digits. */
  readonly document: string
  /** Id of the application there whose version needs the blob, 32 hexadecimal digits. */
  readonly application: string
}

export interface BlobQuestion {
  readonly v: 1
  readonly tenant: string
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string
  readonly reference: Omit<BlobReference, 'tenant'>
  /** Where the answer is to begin: what the asker holds already. */
  readonly offset: number
}

const maxBlobBytes = 16 * 2 ** 30
const bytesInHex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
const sizeBytes = z.number().int().min(0).max(maxBlobBytes)
const questionSchema = z.strictObject({
  v: z.literal(1),
  tenant: z.union([bytesInHex(16), bytesInHex(24), bytesInHex(32)]),
  digest,
  reference: z.strictObject({ document: bytesInHex(16), application: bytesInHex(16) }),
  offset: sizeBytes,
})
const headSchema = z.object({ v: z.literal(1), sizeBytes })

/** One answer for what is not held, not allowed and not to be had: nobody learns from it which it was. */
/** Why a stream ends whose attempt is over; one for all, as each ends so. */
const attemptOver = new SkerryError('aborted', 'the attempt for a blob is over')

const notHeld = () => new SkerryError('not-held', 'the blob is not held here, or this node may not have it')

const isNewer = (value: unknown): boolean => {
  const v = (value as { v?: unknown } | null)?.v
  return typeof v === 'number' && v > 1
}

/** So many at a time, the others in the order they came. */
const createTurns = (atOnce: number) => {
  const waiting: (() => void)[] = []
  let taken = 0
  return {
    take: async (): Promise<void> => {
      if (taken < atOnce) taken++
      else await new Promise<void>((resolve) => waiting.push(resolve))
    },
    give: (): void => {
      const next = waiting.shift()
      if (next) next()
      else taken--
    },
    isIdle: () => taken === 0,
  }
}

export interface BlobServer {
  /**
   * Answers one question of a peer. Asks whether it may before it looks at the disk.
   * @throws {SkerryError} `not-held` alike for not held and not allowed, `bad-message`, `newer-format`
   */
  answer(
    peerKey: string,
    question: unknown,
    signal: AbortSignal,
  ): Promise<{ readonly head: unknown; readonly body: AsyncIterable<Uint8Array> }>
}

export interface BlobServerOptions {
  readonly store: BlobStore
  readonly log: Log
  /** Whether the reference is one that the peer may read, and it does name the blob. Must not depend on what is held. */
  readonly mayHave: (peerKey: string, question: BlobQuestion) => boolean | Promise<boolean>
  /** Gets a blob that this node may give but does not hold from its own parent. @default nobody to ask */
  readonly fetchUp?: (question: BlobQuestion, signal: AbortSignal) => Promise<unknown>
  /** Answers that one peer reads at a time; further ones wait their turn. @default 4 */
  readonly perPeer?: number
}

/** Peers whose garbage was logged: as many as a hub has children, more are not worth a line. */
const maxNoted = 1_000

export const createBlobServer = (options: BlobServerOptions): BlobServer => {
  const { store, log, mayHave, fetchUp, perPeer = 4 } = options
  const noted = new Set<string>()
  const turnsOf = new Map<string, ReturnType<typeof createTurns>>()

  const refuse = (peerKey: string, question: unknown): SkerryError => {
    if (!noted.has(peerKey) && noted.size < maxNoted) {
      noted.add(peerKey)
      log.warn('refused a question for a blob that is in no known form; more of this peer are not logged', {
        peer: peerKey,
      })
    }
    return isNewer(question)
      ? new SkerryError('newer-format', 'the question for a blob has a newer format than 1: update this node')
      : new SkerryError('bad-message', 'the question for a blob is not in its form')
  }

  const inTurn = async function* (peerKey: string, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const turns = turnsOf.get(peerKey) ?? createTurns(perPeer)
    turnsOf.set(peerKey, turns)
    await turns.take()
    try {
      yield* body
    } finally {
      turns.give()
      if (turns.isIdle() && turnsOf.get(peerKey) === turns) turnsOf.delete(peerKey)
    }
  }

  /** A document that could not be read for the answer allows nothing, and looks like nothing else. */
  const allowed = async (peerKey: string, question: BlobQuestion): Promise<boolean> => {
    try {
      return await mayHave(peerKey, question)
    } catch (error) {
      log.warn('could not judge a question for a blob', { peer: peerKey, why: errorText(error) })
      return false
    }
  }

  return {
    answer: async (peerKey, value, signal) => {
      const read = questionSchema.safeParse(value)
      if (!read.success) throw refuse(peerKey, value)
      const question: BlobQuestion = read.data
      if (!(await allowed(peerKey, question))) throw notHeld()
      if (store.sizeOf(question.digest) === undefined && fetchUp !== undefined)
        await fetchUp(question, signal).catch((error: unknown) =>
          log.info('a blob for a child is not to be had', { digest: question.digest, why: errorText(error) }),
        )
      const size = store.sizeOf(question.digest)
      const bytes = store.read(question.digest, { offset: question.offset })
      if (size === undefined || bytes === undefined) throw notHeld()
      return { head: { v: 1, sizeBytes: size }, body: inTurn(peerKey, bytes) }
    },
  }
}

export interface FetchedBlob {
  readonly path: string
  readonly sizeBytes: number
}

export interface BlobClient {
  /**
   * Fetches a blob, or answers at once when it is held. Who asks for one that is on its way waits for that transfer; what a
   * broken one left is gone on with. Abort leaves the transfer to those who still wait; the last to leave ends it.
   * @throws {SkerryError} the parent's refusal; `bad-message`, `cut-short`, `stalled`, `digest-mismatch`, `disk-full`
   */
  fetch(digest: string, reference: BlobReference, signal?: AbortSignal): Promise<FetchedBlob>
}

export interface BlobClientOptions {
  readonly store: BlobStore
  readonly clock: Clock
  readonly log: Log
  /** Asks the parent; abort ends the answer's bytes too. @throws {SkerryError} its refusal, or that it is away */
  readonly ask: (question: BlobQuestion, signal: AbortSignal) => Promise<LinkAnswer>
  /** Transfers at one time; others wait. @default 2, for an edge */
  readonly atOnce?: number
  /** An answer that brings nothing for so long is given up, in milliseconds. @default 2 minutes */
  readonly stalledAfterMs?: number
}

interface Transfer {
  readonly reference: BlobReference
  readonly done: Promise<FetchedBlob>
  readonly stop: AbortController
  waiters: number
}

/** Passes on exactly so many bytes. @throws {SkerryError} `bad-message` for more or for an empty piece, `cut-short` for fewer */
const exactly = (wantedBytes: number) =>
  async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let leftBytes = wantedBytes
    for await (const piece of source) {
      leftBytes -= piece.length
      if (leftBytes < 0 || piece.length === 0)
        throw new SkerryError('bad-message', 'the parent sent another number of bytes of a blob than it said')
      yield piece
    }
    if (leftBytes > 0)
      throw new SkerryError('cut-short', `a blob came short by ${leftBytes} bytes; the rest is asked for again`)
  }

const nothing = async function* (): AsyncGenerator<Uint8Array> {}

export const createBlobClient = (options: BlobClientOptions): BlobClient => {
  const { store, clock, log, ask, atOnce = 2, stalledAfterMs = 120_000 } = options
  const transfers = new Map<string, Transfer>()
  const turns = createTurns(atOnce)

  const left = () => new SkerryError('aborted', 'nobody waits for the blob any more')

  /** Gives up on a source that is silent for too long: an answer must not hold its turn for ever. */
  const lively = (signal: AbortSignal) =>
    async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      const pieces = source[Symbol.asyncIterator]()
      let fail: (error: SkerryError) => void = () => {}
      const leave = () => fail(left())
      signal.addEventListener('abort', leave)
      try {
        for (;;) {
          let timer: { cancel(): void } | undefined
          const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
            fail = reject
            const stalled = () => new SkerryError('stalled', 'the parent sent nothing of a blob for too long')
            timer = clock.setTimer(stalledAfterMs, () => reject(stalled()))
            if (signal.aborted) leave()
            pieces.next().then(resolve, reject)
          }).finally(() => timer?.cancel())
          if (next.done) return
          yield next.value
        }
      } finally {
        signal.removeEventListener('abort', leave)
      }
    }

  /** One question and its answer. Undefined when what is here fits nothing: then there is nothing here any more. */
  const attempt = async (
    digest: string,
    { tenant, document, application }: BlobReference,
    stop: AbortController,
  ): Promise<FetchedBlob | undefined> => {
    const from = store.partialBytes(digest)
    const reference = { document, application }
    // Of this answer alone: whatever ends the attempt also ends the stream it came on, read or not.
    const over = new AbortController()
    const { signal } = over
    const leave = () => over.abort(stop.signal.reason)
    stop.signal.addEventListener('abort', leave)
    if (stop.signal.aborted) leave()
    try {
      const { head, body } = await ask({ v: 1, tenant, digest, reference, offset: from }, signal)
      if (isNewer(head))
        throw new SkerryError('newer-format', 'the parent answers for blobs in a newer format than 1: update this node')
      const said = headSchema.safeParse(head)
      if (!said.success)
        throw new SkerryError('bad-message', 'the parent answered a question for a blob with something else')
      // Longer than the whole: it is no part of it. One that begins anew forgets it.
      const isUseless = said.data.sizeBytes < from
      const wanted = isUseless ? nothing() : pipe(body, lively(signal), exactly(said.data.sizeBytes - from))
      const { path, sizeBytes } = await store.keep(wanted, digest, { from: isUseless ? 0 : from })
      return { path, sizeBytes }
    } catch (error) {
      const isDamaged = error instanceof SkerryError && error.code === 'digest-mismatch'
      if (isDamaged && from > 0) return undefined
      throw error
    } finally {
      stop.signal.removeEventListener('abort', leave)
      over.abort(attemptOver)
    }
  }

  const run = async (digest: string, reference: BlobReference, stop: AbortController): Promise<FetchedBlob> => {
    await turns.take()
    try {
      if (stop.signal.aborted) throw left()
      const first = await attempt(digest, reference, stop)
      const fetched = first ?? (await attempt(digest, reference, stop))
      // The second attempt began at nothing: what it brought is not the part's fault.
      if (fetched === undefined) throw new SkerryError('digest-mismatch', `the parent has no right bytes of ${digest}`)
      log.info('fetched a blob', { digest, sizeBytes: fetched.sizeBytes })
      return fetched
    } catch (error) {
      log.info('a blob did not come', { digest, heldBytes: store.partialBytes(digest), why: errorText(error) })
      throw error
    } finally {
      turns.give()
    }
  }

  const begin = (digest: string, reference: BlobReference): Transfer => {
    const stop = new AbortController()
    const done = run(digest, reference, stop).finally(() => {
      if (transfers.get(digest) === transfer) transfers.delete(digest)
    })
    // Whoever waits hears of it; nobody may be left.
    done.catch(() => undefined)
    const transfer: Transfer = { reference, done, stop, waiters: 0 }
    transfers.set(digest, transfer)
    return transfer
  }

  /** Waits for a transfer as one of several. */
  const join = async (digest: string, transfer: Transfer, signal: AbortSignal | undefined): Promise<FetchedBlob> => {
    let leave = () => {}
    const gone = new Promise<never>((_, reject) => {
      leave = () => reject(new SkerryError('aborted', `nobody waits for ${digest} here any more`))
    })
    signal?.addEventListener('abort', leave)
    transfer.waiters++
    try {
      if (signal?.aborted) leave()
      return await Promise.race([transfer.done, gone])
    } finally {
      signal?.removeEventListener('abort', leave)
      transfer.waiters--
      if (transfer.waiters === 0) {
        // A new waiter must not join a transfer that is being ended.
        if (transfers.get(digest) === transfer) transfers.delete(digest)
        transfer.stop.abort()
      }
    }
  }

  const isSame = (a: BlobReference, b: BlobReference) =>
    a.tenant === b.tenant && a.document === b.document && a.application === b.application

  return {
    fetch: async (digest, reference, signal) => {
      for (;;) {
        const [path, sizeBytes] = [store.pathOf(digest), store.sizeOf(digest)]
        if (path !== undefined && sizeBytes !== undefined) return { path, sizeBytes }
        const transfer = transfers.get(digest) ?? begin(digest, reference)
        try {
          return await join(digest, transfer, signal)
        } catch (error) {
          // Refused to somebody else's reference is not yet refused to this one.
          if (signal?.aborted || isSame(transfer.reference, reference)) throw error
          if (!(error instanceof SkerryError) || error.code !== 'not-held') throw error
        }
      }
    },
  }
}
