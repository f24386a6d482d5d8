import { type Clock, errorText, type Log, type Random, SkerryError, sleep } from '../../base/index.ts'
import type { Mesh, MeshLink, MeshStream } from '../../mesh/index.ts'
import { answer, ask, type LinkAnswer, nextDocument, readerOf, sendDocument } from './link-messages.ts'
import { createReportLoop } from './report-loop.ts'

/** Waits between tries to reach a parent: doubling from the first to the last, times a random half to one and a half. */
const firstRetryMs = 250
const lastRetryMs = 20_000
/** A node that waits for an operator's yes asks this often at least. */
const waitingRetryMs = 5_000
/** Hundreds of hosts that call at once keep a hub busy for seconds: who gives up sooner makes it begin again. */
const dialTimeoutMs = 10_000
/** A link that lasted so long was a good one. */
const goodLinkMs = 5_000
/** How long a parent may take to judge a hello. */
const joinTimeoutMs = 20_000
/** What a parent may answer to a hello: its records come along, in bytes. */
const maxAnswerBytes = 8 * 2 ** 20
/** What a parent may leave at once for another site, in bytes. */
const maxDepositBytes = 2 * 2 ** 20

/** How a parent was found, or why not. */
export type Joined =
  | { readonly ok: true; readonly parent: string }
  | { readonly ok: false; readonly code: string; readonly message: string }

export interface Uplink {
  start(): void
  stop(): Promise<void>
  /** Whether a parent is linked, since how many milliseconds, and what the last try said. */
  state(): {
    readonly up: boolean
    readonly forMs: number
    readonly parent?: string
    readonly error?: string
    /** Stable code of a parent's refusal, like `waiting` or `blocked`. */
    readonly refusal?: string
  }
  /** Says that `report` would answer something new. */
  reportChanged(): void
  /** Hangs up, so that the node joins anew: its certificate is due. */
  rejoin(): void
  /** Hangs up where the parent is one of these keys. */
  cut(peerKeys: readonly string[]): void
  /** @throws {SkerryError} `parent-unreachable` when no parent is linked, or the parent's refusal */
  ask(purpose: 'versions' | 'blob', question: unknown, signal?: AbortSignal): Promise<LinkAnswer>
}

export interface UplinkOptions {
  readonly mesh: Mesh
  readonly parents: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly hello: (parentKey: string) => Promise<unknown>
  /** Judges a parent by its answer to our hello. */
  readonly accept: (answer: unknown, peerKey: string) => Promise<Joined>
  /** Serves the stream that keeps documents the same; ends with it. */
  readonly onDocuments: (stream: MeshStream, peerKey: string) => Promise<void>
  /** What we say of ourselves and of all below us, now. */
  readonly report: () => Promise<unknown>
  /** A report leaves at least so often, in milliseconds. @default 10 s */
  readonly reportEveryMs?: number | undefined
  /** Whether more is about to change, so that a report waits for it. @default no */
  readonly isChanging?: (() => boolean) | undefined
  /** A request forwarded to us. */
  readonly onRequest: (
    question: unknown,
    signal: AbortSignal,
  ) => Promise<{ head: unknown; body?: AsyncIterable<Uint8Array> }>
  /** Takes what the parent leaves for another site, and answers it. @default nothing is taken */
  readonly onDeposit?: (question: unknown, parentKey: string) => Promise<{ head: unknown }>
  /** Whether a lost parent is called again. @default yes; a proof says no */
  readonly callsAgain?: boolean | undefined
  /** A parent was linked or lost. */
  readonly onChange: (isUp: boolean) => void
}

/** Keeps one link to one of the parents for ever. */
export const createUplink = (options: UplinkOptions): Uplink => {
  const { mesh, parents, clock, random, log } = options
  const stopped = new AbortController()
  const reports = createReportLoop({
    clock,
    report: options.report,
    everyMs: options.reportEveryMs,
    isChanging: options.isChanging,
  })
  let link: MeshLink | undefined
  let parent: string | undefined
  let sinceMs = clock.monotonicMs()
  let lastedMs = 0
  let lastError: string | undefined
  let refusal: string | undefined
  let running: Promise<void> | undefined

  const accept = (stream: MeshStream) => {
    const failed = (error: unknown) => {
      log.warn('a stream from the parent failed', { purpose: stream.purpose, error: errorText(error) })
      stream.abort('failed')
    }
    if (link === undefined) stream.abort('not admitted')
    else if (stream.purpose === 'request') answer(stream, options.onRequest).catch(failed)
    else if (stream.purpose === 'deposit' && options.onDeposit !== undefined) {
      const [{ peer }, take] = [link, options.onDeposit]
      answer(stream, (left) => take(left, peer), maxDepositBytes).catch(failed)
    } else stream.abort(`unknown purpose ${stream.purpose}`)
  }

  const join = async (made: MeshLink): Promise<Joined> => {
    const late = clock.setTimer(joinTimeoutMs, () => void made.close())
    try {
      const stream = await made.openStream('join')
      await sendDocument(stream, await options.hello(made.peer))
      const said = await nextDocument(readerOf(stream), maxAnswerBytes)
      if (said === undefined) throw new SkerryError('link-lost', 'the parent closed before it answered')
      void stream.close()
      return await options.accept(said, made.peer)
    } finally {
      late.cancel()
    }
  }

  const work = async (made: MeshLink): Promise<void> => {
    const lost = new AbortController()
    const failed = (what: string) => (error: unknown) => {
      if (!lost.signal.aborted) log.warn(`${what} stopped`, { error: errorText(error) })
      return made.close()
    }
    const documents = made
      .openStream('documents', { priority: 'control' })
      .then((stream) => options.onDocuments(stream, made.peer))
      .then(() => made.close())
      .catch(failed('documents'))
    const reporting = reports.run(made, lost.signal).catch(failed('reports'))
    lastError = await made.closed
    lost.abort()
    await Promise.all([reporting, documents])
  }

  const serve = async (address: string) => {
    const made = await mesh.dial(address, { timeoutMs: dialTimeoutMs, signal: stopped.signal })
    mesh.onStream(made, accept)
    const hangUp = () => void made.close()
    stopped.signal.addEventListener('abort', hangUp)
    try {
      const joined = await join(made)
      if (!joined.ok) {
        refusal = joined.code
        throw new SkerryError(joined.code, joined.message)
      }
      refusal = undefined
      parent = joined.parent
      link = made
      sinceMs = clock.monotonicMs()
      lastError = undefined
      log.info('linked to parent', { parent, address })
      options.onChange(true)
      await work(made)
    } finally {
      stopped.signal.removeEventListener('abort', hangUp)
      const wasUp = link !== undefined
      link = undefined
      if (wasUp) {
        lastedMs = clock.monotonicMs() - sinceMs
        sinceMs = clock.monotonicMs()
        options.onChange(false)
      }
      await made.close()
    }
  }

  const run = async () => {
    for (let tries = 0; !stopped.signal.aborted; tries++) {
      try {
        await serve(parents[tries % parents.length] ?? '')
      } catch (error) {
        if (errorText(error) !== lastError) log.info('parent not reached', { error: errorText(error) })
        lastError = errorText(error)
      }
      if (options.callsAgain === false && parent !== undefined) return
      // After a good link waits begin short again.
      if (lastedMs > goodLinkMs) tries = 0
      lastedMs = 0
      const mostMs = refusal === 'waiting' ? waitingRetryMs : lastRetryMs
      const waitMs = Math.min(mostMs, firstRetryMs * 2 ** Math.min(tries, 20)) * (0.5 + random.unit())
      await sleep(clock, waitMs, stopped.signal)
    }
  }

  return {
    start: () => {
      if (parents.length > 0) running ??= run()
    },
    stop: async () => {
      stopped.abort()
      await link?.close()
      await running
    },
    state: () => ({
      up: link !== undefined,
      forMs: clock.monotonicMs() - sinceMs,
      ...(parent !== undefined && { parent }),
      ...(lastError !== undefined && { error: lastError }),
      ...(refusal !== undefined && { refusal }),
    }),
    reportChanged: reports.changed,
    rejoin: () => void link?.close(),
    cut: (peerKeys) => {
      if (link !== undefined && peerKeys.includes(link.peer)) void link.close()
    },
    ask: (purpose, question, signal) => {
      if (!link) throw new SkerryError('parent-unreachable', `no parent is linked${lastError ? ` (${lastError})` : ''}`)
      return ask(link, purpose, question, signal)
    },
  }
}
