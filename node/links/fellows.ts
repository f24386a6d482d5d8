import { type Clock, errorText, type Log, type Random, SkerryError, sleep } from '../../base/index.ts'
import type { Mesh, MeshLink, MeshStream } from '../../mesh/index.ts'
import type { LinkedChild } from './downlinks.ts'
import { answer, ask, type LinkAnswer, nextDocument, readerOf } from './link-messages.ts'
import { createReportLoop, type ReportLoop } from './report-loop.ts'

/** Waits between tries to reach a fellow: doubling from the first to the last, times a random half to one and a half. */
const firstRetryMs = 500
const lastRetryMs = 30_000
const dialTimeoutMs = 5_000
/** How long a fellow may take to judge a hello. */
const helloWithinMs = 10_000

/** The other aggregators of one zone, as far as they are linked now. */
export interface Fellows {
  start(): void
  stop(): Promise<void>
  /** Hears a caller whose first stream says that it is a fellow. @param admitted gets what serves its further streams, if it is one */
  greet(link: MeshLink, stream: MeshStream, admitted: (serve: (stream: MeshStream) => void) => void): Promise<void>
  /** Keys of those linked, sorted. */
  linked(): readonly string[]
  /** Those that are linked now, or were since this node started. */
  seen(): readonly LinkedChild[]
  /** Says that what is told of hosts would be something new. */
  reportChanged(): void
  /** @throws {SkerryError} `link-down` when it is not linked, or its refusal */
  ask(peerKey: string, purpose: 'versions' | 'blob', question: unknown, signal?: AbortSignal): Promise<LinkAnswer>
  /** Hangs up on those that are no fellows any more. */
  recheck(isFellow: (peerKey: string) => boolean): void
}

export interface FellowsOptions {
  readonly mesh: Mesh
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** This node's own key: what answers at its own address is no fellow. */
  readonly peerKey: string
  readonly addresses: readonly string[]
  readonly helloBytes: number
  readonly answerBytes: number
  /** What this node says first; undefined while it has nothing to show. */
  readonly hello: () => unknown
  /** Judges what a caller said first. */
  readonly judge: (hello: unknown, peerKey: string) => Promise<{ readonly isFellow: boolean; readonly answer: unknown }>
  /** Judges what was answered to our hello. @throws {SkerryError} why it is no fellow */
  readonly accept: (said: unknown, peerKey: string) => Promise<void>
  /** Keeps documents the same; ends with the stream. @param isCaller whether this end dialed */
  readonly onDocuments: (stream: MeshStream, peerKey: string, isCaller: boolean) => Promise<void>
  /** What one of them is told of hosts on a new link: asked for on change and at rest, as a parent is told. */
  readonly telling: () => () => Promise<unknown>
  /** @param value what one of them told of hosts; judged by who takes it. @throws {SkerryError} what ends that stream */
  readonly onReports: (peerKey: string, value: unknown) => void
  readonly onQuestion: (
    purpose: 'versions' | 'blob',
    peerKey: string,
    question: unknown,
    signal: AbortSignal,
  ) => Promise<{ head: unknown; body?: AsyncIterable<Uint8Array> }>
}

interface Linked {
  readonly link: MeshLink
  readonly isCaller: boolean
  /** What tells of hosts, once both ends take the link for one. */
  reports?: ReportLoop
}

/**
 * Keeps one link to each other aggregator of the zone. All dial all; of two links between the same two the one that the
 * lower key dialed stays.
 */
export const createFellows = (options: FellowsOptions): Fellows => {
  const { mesh, clock, random, log, peerKey: own } = options
  const stopped = new AbortController()
  const live = new Map<string, Linked>()
  /** By key when one was linked, or lost, and when it was last heard then. */
  const since = new Map<string, { readonly atMs: number; readonly heardAtMs: number }>()
  const keyAt = new Map<string, string>()
  const noted = new Set<string>()
  let running: readonly Promise<void>[] = []

  const note = (what: string, fields: Readonly<Record<string, string>>) => {
    const text = JSON.stringify([what, fields])
    if (noted.has(text)) return
    noted.add(text)
    log.info(what, fields)
  }

  /** @returns whether the link is the one that counts */
  const admit = (made: Linked): boolean => {
    const { peer, closed } = made.link
    const before = live.get(peer)
    if (before !== undefined && before.isCaller !== made.isCaller && made.isCaller !== own < peer) return false
    live.set(peer, made)
    since.set(peer, { atMs: clock.monotonicMs(), heardAtMs: clock.monotonicMs() })
    void before?.link.close()
    noted.clear()
    log.info('linked to another aggregator of the zone', { peer: peer.slice(0, 16) })
    void closed.then((reason) => {
      if (live.get(peer) !== made) return
      live.delete(peer)
      const atMs = clock.monotonicMs()
      since.set(peer, { atMs, heardAtMs: atMs - made.link.heardAgeMs() })
      log.info('lost another aggregator of the zone', { peer: peer.slice(0, 16), reason })
    })
    return true
  }

  const failed = (link: MeshLink, what: string) => (error: unknown) => {
    if (live.get(link.peer)?.link === link) log.warn(`${what} stopped`, { error: errorText(error) })
    void link.close()
  }

  /** One of the release before does not listen: it is told nothing more on this link, which stays. */
  const tell = (made: Linked): void => {
    const { link } = made
    const lost = new AbortController()
    void link.closed.then((reason) => lost.abort(reason))
    made.reports = createReportLoop({ clock, report: options.telling() })
    made.reports.run(link, lost.signal).catch((error: unknown) => {
      if (!lost.signal.aborted) note('another aggregator of the zone hears no reports', { why: errorText(error) })
    })
  }

  const listen = async (made: Linked, stream: MeshStream): Promise<void> => {
    const { peer } = made.link
    const reader = readerOf(stream)
    for (let said = await nextDocument(reader); said !== undefined; said = await nextDocument(reader))
      if (live.get(peer) === made) options.onReports(peer, said)
  }

  const serve = (made: Linked) => {
    let isOpened = made.isCaller
    let isTold = false
    return (stream: MeshStream): void => {
      const { purpose } = stream
      const { peer } = made.link
      if (purpose === 'documents' && !isOpened) {
        isOpened = true
        options.onDocuments(stream, peer, false).catch(failed(made.link, 'documents'))
        // Not before: the caller takes no stream until it has judged the answer.
        tell(made)
      } else if (purpose === 'reports' && !isTold) {
        isTold = true
        listen(made, stream).catch((error: unknown) => {
          if (live.get(peer) === made) log.warn('reports are heard no longer', { error: errorText(error) })
          stream.abort('failed')
        })
      } else if (purpose === 'versions' || purpose === 'blob')
        answer(stream, (question, signal) => options.onQuestion(purpose, peer, question, signal)).catch(
          failed(made.link, purpose),
        )
      else stream.abort(`unknown purpose ${purpose}`)
    }
  }

  const call = async (address: string): Promise<void> => {
    const hello = options.hello()
    if (hello === undefined) throw new SkerryError('not-enrolled', 'this node has no certificate to show yet')
    const link = await mesh.dial(address, { timeoutMs: dialTimeoutMs, signal: stopped.signal })
    keyAt.set(address, link.peer)
    const made: Linked = { link, isCaller: true }
    try {
      if (link.peer === own || live.has(link.peer)) return
      const heard = serve(made)
      mesh.onStream(link, (stream) => {
        if (live.get(link.peer) === made) heard(stream)
        else stream.abort('not admitted')
      })
      const late = clock.setTimer(helloWithinMs, () => void link.close())
      try {
        const { head } = await ask(link, 'fellow', hello, stopped.signal, options.answerBytes)
        await options.accept(head, link.peer)
      } finally {
        late.cancel()
      }
      if (stopped.signal.aborted || !admit(made)) return
      const stream = await link.openStream('documents', { priority: 'control' })
      options.onDocuments(stream, link.peer, true).then(() => link.close(), failed(link, 'documents'))
      tell(made)
      await link.closed
    } finally {
      void link.close()
    }
  }

  const keep = async (address: string): Promise<void> => {
    for (let tries = 0; !stopped.signal.aborted && keyAt.get(address) !== own; tries++) {
      const known = live.get(keyAt.get(address) ?? '')
      if (known !== undefined) {
        await known.link.closed
        tries = 0
      } else
        await call(address).catch((error: unknown) => {
          if (!stopped.signal.aborted)
            note('another aggregator of the zone is not reached', { address, why: errorText(error) })
        })
      const waitMs = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(tries, 20)) * (0.5 + random.unit())
      await sleep(clock, waitMs, stopped.signal)
    }
  }

  return {
    start: () => {
      if (running.length === 0) running = options.addresses.map((address) => keep(address))
    },
    stop: async () => {
      stopped.abort()
      for (const { link } of live.values()) void link.close()
      await Promise.all(running)
    },
    greet: async (link, stream, admitted) => {
      const made: Linked = { link, isCaller: false }
      const hear = async (hello: unknown) => {
        const judged = await options.judge(hello, link.peer)
        // Before the answer: the caller opens its streams as soon as it has read it.
        if (judged.isFellow && !stopped.signal.aborted && admit(made)) admitted(serve(made))
        return { head: judged.answer }
      }
      await answer(stream, hear, options.helloBytes)
    },
    linked: () => [...live.keys()].toSorted(),
    seen: () => {
      const nowMs = clock.monotonicMs()
      return [...since].map(([peer, { atMs, heardAtMs }]) => {
        const link = live.get(peer)?.link
        return {
          peer,
          up: link !== undefined,
          forMs: nowMs - atMs,
          heardAgeMs: link?.heardAgeMs() ?? nowMs - heardAtMs,
        }
      })
    },
    reportChanged: () => {
      for (const { reports } of live.values()) reports?.changed()
    },
    ask: async (peerKey, purpose, question, signal) => {
      const found = live.get(peerKey)
      if (found === undefined) throw new SkerryError('link-down', 'that aggregator is not linked to this node now')
      return ask(found.link, purpose, question, signal)
    },
    recheck: (isFellow) => {
      for (const [peer, { link }] of live) if (!isFellow(peer)) void link.close()
    },
  }
}
