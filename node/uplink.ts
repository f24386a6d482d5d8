import { type Clock, errorText, type Log, type Random, SkerryError, sleep } from '../base/index.ts'
import type { Mesh, MeshLink, MeshStream } from '../mesh/index.ts'
import { answer, ask, type LinkAnswer, nextDocument, readerOf, sendDocument } from './link-messages.ts'

/** Waits between tries to reach a parent: doubling from the first to the last, times a random half to one and a half. */
const firstRetryMs = 250
const lastRetryMs = 30_000
const dialTimeoutMs = 5_000
/** A report is sent when something changed, and at least this often, so that its age stays small. */
const reportEveryMs = 5_000
/** Changes closer together than this travel in one report. */
const reportGatherMs = 100

export interface Uplink {
  start(): void
  stop(): Promise<void>
  /** Whether a parent is linked, since how many milliseconds, and what the last try said. */
  state(): { readonly up: boolean; readonly forMs: number; readonly parent?: string; readonly error?: string }
  /** Says that `report` would answer something new. */
  reportChanged(): void
  /** @throws {SkerryError} `parent-unreachable` when no parent is linked, or the parent's refusal */
  askArchive(archive: string, signal?: AbortSignal): Promise<LinkAnswer>
}

export interface UplinkOptions {
  readonly mesh: Mesh
  readonly parents: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** A parent handed down what it wants of us. */
  readonly onIntents: (intents: unknown) => void
  /** What we say of ourselves and of all below us, now. */
  readonly report: () => unknown
  /** A request forwarded to us. */
  readonly onRequest: (
    question: unknown,
    signal: AbortSignal,
  ) => Promise<{ head: unknown; body?: AsyncIterable<Uint8Array> }>
}

/** Keeps one link to one of the parents for ever. */
export const createUplink = (options: UplinkOptions): Uplink => {
  const { mesh, parents, clock, random, log } = options
  const stopped = new AbortController()
  let link: MeshLink | undefined
  let sinceMs = clock.monotonicMs()
  let lastError: string | undefined
  let running: Promise<void> | undefined
  let changed = () => {}

  const readIntents = async (stream: MeshStream) => {
    const reader = readerOf(stream)
    for (let intents = await nextDocument(reader); intents !== undefined; intents = await nextDocument(reader))
      options.onIntents(intents)
  }

  const accept = (stream: MeshStream) => {
    const failed = (error: unknown) => {
      log.warn('a stream from the parent failed', { purpose: stream.purpose, error: errorText(error) })
      stream.abort('failed')
    }
    if (stream.purpose === 'intents') readIntents(stream).catch(failed)
    else if (stream.purpose === 'request') answer(stream, options.onRequest).catch(failed)
    else stream.abort(`unknown purpose ${stream.purpose}`)
  }

  const sendReports = async (to: MeshLink, lost: AbortSignal) => {
    const stream = await to.openStream('reports')
    while (!lost.aborted) {
      const wake = new AbortController()
      changed = () => wake.abort()
      await sendDocument(stream, options.report())
      await sleep(clock, reportEveryMs, AbortSignal.any([wake.signal, lost]))
      await sleep(clock, reportGatherMs, lost)
    }
  }

  const serve = async (address: string) => {
    const made = await mesh.dial(address, { timeoutMs: dialTimeoutMs, signal: stopped.signal })
    mesh.onStream(made, accept)
    link = made
    sinceMs = clock.monotonicMs()
    lastError = undefined
    log.info('linked to parent', { parent: made.peer, address })
    const lost = new AbortController()
    const reporting = sendReports(made, lost.signal).catch((error: unknown) => {
      if (!lost.signal.aborted) log.warn('reports stopped', { error: errorText(error) })
      return made.close()
    })
    lastError = await made.closed
    lost.abort()
    link = undefined
    sinceMs = clock.monotonicMs()
    await reporting
  }

  const run = async () => {
    for (let tries = 0; !stopped.signal.aborted; tries++) {
      const startedMs = clock.monotonicMs()
      try {
        await serve(parents[tries % parents.length] ?? '')
      } catch (error) {
        if (errorText(error) !== lastError) log.info('parent not reached', { error: errorText(error) })
        lastError = errorText(error)
      }
      // A link that lasted was a good one: begin again with short waits.
      if (clock.monotonicMs() - startedMs > lastRetryMs) tries = 0
      const waitMs = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(tries, 20)) * (0.5 + random.unit())
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
      ...(link && { parent: link.peer }),
      ...(lastError !== undefined && { error: lastError }),
    }),
    reportChanged: () => changed(),
    askArchive: (archive, signal) => {
      if (!link) throw new SkerryError('parent-unreachable', `no parent is linked${lastError ? ` (${lastError})` : ''}`)
      return ask(link, 'archive', { archive }, signal)
    },
  }
}
