import { type Clock, errorText, type Log, SkerryError, type Timer } from '../../base/index.ts'
import type { Mesh, MeshLink, MeshStream } from '../../mesh/index.ts'
import { answer, ask, type LinkAnswer, nextDocument, readerOf, sendDocument } from './link-messages.ts'

/** A caller that was not admitted after so long is hung up on, in milliseconds. */
const joinWithinMs = 5_000
/** What a caller may say before it is admitted, in bytes. */
const maxHelloBytes = 64 * 1024
/** Callers that wait for admission at one time; one more is hung up on. */
const maxCallers = 1_000

/** What the node decided of a caller. */
export interface Admission {
  /** What is said to the caller, admitted or not. */
  readonly answer: unknown
  /** Undefined where it is not admitted. */
  readonly child: { readonly name: string } | undefined
}

/** A child that is linked now, or was since this node started. */
export interface LinkedChild {
  readonly peer: string
  readonly up: boolean
  /** Since when it is linked, or is not, in milliseconds. */
  readonly forMs: number
  /** How long ago something of it came on its link, or on the one that was lost, in milliseconds. */
  readonly heardAgeMs: number
}

export interface Downlinks {
  children(): readonly LinkedChild[]
  /** @throws {SkerryError} `link-down` when the child is not linked, or the child's refusal */
  request(child: string, question: unknown, signal?: AbortSignal): Promise<LinkAnswer>
  /** Whether a child with this key is linked now. */
  isLinked(peerKey: string): boolean
  /** Leaves something with a child. @throws {SkerryError} `link-down` when it is not linked, or the child's refusal */
  leave(peerKey: string, deposit: unknown, signal?: AbortSignal): Promise<LinkAnswer>
  /** Ends the links of these keys now. */
  cut(peerKeys: readonly string[]): void
}

export interface DownlinksOptions {
  readonly mesh: Mesh
  readonly clock: Clock
  readonly log: Log
  /** Judges what a caller said first. */
  readonly judge: (hello: unknown, peerKey: string) => Promise<Admission>
  /** Serves the stream that keeps documents the same; ends with it. */
  readonly onDocuments: (stream: MeshStream, peerKey: string) => Promise<void>
  /** @param value what the child reported; judged by who takes it */
  readonly onReports: (child: string, peerKey: string, value: unknown) => void
  /** Answers a question of a child, by the purpose of its stream. */
  readonly onQuestion: (
    purpose: 'versions' | 'blob',
    peerKey: string,
    question: unknown,
    signal: AbortSignal,
  ) => Promise<{ head: unknown; body?: AsyncIterable<Uint8Array> }>
  /** A caller whose first stream says that it runs this zone too: admitted with what serves its further streams. @default refused */
  readonly onFellow?: (
    link: MeshLink,
    stream: MeshStream,
    admit: (serve: (stream: MeshStream) => void) => void,
  ) => Promise<void>
  /** A child came or went. @param linkedKey the key of one that came */
  readonly onChange: (linkedKey?: string) => void
}

interface Child {
  link: MeshLink | undefined
  sinceMs: number
  /** When something of it last came on the link that was lost. */
  heardAtMs: number
}

/** Accepts links of children, each after it was admitted; the newest link of a child wins. */
export const createDownlinks = (options: DownlinksOptions): Downlinks => {
  const { mesh, clock, log } = options
  const children = new Map<string, Child>()
  const links = new Map<string, MeshLink>()
  let callers = 0

  const readReports = async (name: string, peerKey: string, stream: MeshStream) => {
    const reader = readerOf(stream)
    for (let reports = await nextDocument(reader); reports !== undefined; reports = await nextDocument(reader))
      options.onReports(name, peerKey, reports)
  }

  /** @param opened purposes of the streams that last as long as the link: a child that opens one twice gets no more of it */
  const serve = (name: string, { peer }: MeshLink, stream: MeshStream, opened: Set<string>): void => {
    const failed = (error: unknown) => {
      log.warn('a stream of a child failed', { child: name, purpose: stream.purpose, error: errorText(error) })
      stream.abort('failed')
    }
    const { purpose } = stream
    if (purpose === 'documents' || purpose === 'reports') {
      if (opened.has(purpose)) {
        stream.abort(`${purpose} are on another stream of this link`)
        return
      }
      opened.add(purpose)
    }
    if (purpose === 'documents') options.onDocuments(stream, peer).catch(failed)
    else if (purpose === 'reports') readReports(name, peer, stream).catch(failed)
    else if (purpose === 'versions' || purpose === 'blob')
      answer(stream, (question, signal) => options.onQuestion(purpose, peer, question, signal)).catch(failed)
    else stream.abort(`unknown purpose ${purpose}`)
  }

  const admitted = (name: string, link: MeshLink) => {
    const before = children.get(name)?.link
    const nowMs = clock.monotonicMs()
    const child: Child = { link, sinceMs: nowMs, heardAtMs: nowMs }
    children.set(name, child)
    links.set(link.peer, link)
    if (before !== undefined && before !== link) void before.close()
    log.info('child linked', { child: name })
    options.onChange(link.peer)
    void link.closed.then((reason) => {
      if (links.get(link.peer) === link) links.delete(link.peer)
      if (child.link !== link) return
      child.link = undefined
      if (children.get(name) !== child) return
      child.sinceMs = clock.monotonicMs()
      child.heardAtMs = child.sinceMs - link.heardAgeMs()
      log.info('child lost', { child: name, reason })
      options.onChange()
    })
  }

  /** The caller's first stream says who it is; until that is judged nothing else is heard. */
  const greet = async (link: MeshLink, stream: MeshStream): Promise<string | undefined> => {
    const hello = await nextDocument(readerOf(stream), maxHelloBytes)
    const { answer: said, child } = await options.judge(hello, link.peer)
    await sendDocument(stream, said)
    await stream.close()
    return child?.name
  }

  mesh.onLink((link) => {
    if (callers >= maxCallers) {
      void link.close()
      return
    }
    callers += 1
    let state:
      | 'calling'
      | 'judging'
      | 'refused'
      | { readonly name: string; readonly opened: Set<string> }
      | ((stream: MeshStream) => void) = 'calling'
    const late: Timer = clock.setTimer(joinWithinMs, () => {
      if (typeof state === 'string') void link.close()
    })
    let isCaller = true
    const settled = () => {
      if (isCaller) callers -= 1
      isCaller = false
    }
    void link.closed.then(() => {
      late.cancel()
      settled()
    })
    const hear = (stream: MeshStream): void => {
      const admit = (serves: (stream: MeshStream) => void) => {
        settled()
        late.cancel()
        state = serves
      }
      const heard = options.onFellow?.(link, stream, admit) ?? Promise.resolve()
      heard.then(
        () => {
          settled()
          if (typeof state === 'string') clock.setTimer(joinWithinMs, () => void link.close())
        },
        (error: unknown) => {
          log.info('a caller was not understood', { error: errorText(error) })
          return link.close()
        },
      )
    }
    mesh.onStream(link, (stream) => {
      if (typeof state === 'function') return state(stream)
      if (typeof state === 'object') return serve(state.name, link, stream, state.opened)
      const isFellow = stream.purpose === 'fellow' && options.onFellow !== undefined
      if (state !== 'calling' || (stream.purpose !== 'join' && !isFellow)) return stream.abort('not admitted')
      state = 'judging'
      if (isFellow) return hear(stream)
      greet(link, stream).then(
        (name) => {
          settled()
          late.cancel()
          state = name === undefined ? 'refused' : { name, opened: new Set() }
          if (name !== undefined) return admitted(name, link)
          // The caller hangs up once it read the answer; one that does not is hung up on.
          clock.setTimer(joinWithinMs, () => void link.close())
          return undefined
        },
        (error: unknown) => {
          log.info('a caller was not understood', { error: errorText(error) })
          return link.close()
        },
      )
    })
  })

  return {
    children: () =>
      [...children]
        .map(([peer, { link, sinceMs, heardAtMs }]) => {
          const nowMs = clock.monotonicMs()
          return {
            peer,
            up: link !== undefined,
            forMs: nowMs - sinceMs,
            heardAgeMs: link?.heardAgeMs() ?? nowMs - heardAtMs,
          }
        })
        .toSorted((a, b) => (a.peer < b.peer ? -1 : 1)),
    request: async (child, question, signal) => {
      const link = children.get(child)?.link
      if (!link)
        throw new SkerryError('link-down', `${child} is not linked to this node now; try again when it is back`)
      return ask(link, 'request', question, signal)
    },
    isLinked: (peerKey) => links.has(peerKey),
    leave: async (peerKey, deposit, signal) => {
      const link = links.get(peerKey)
      if (!link) throw new SkerryError('link-down', 'the host is not linked to this node now')
      return ask(link, 'deposit', deposit, signal)
    },
    cut: (peerKeys) => {
      for (const key of peerKeys) void links.get(key)?.close()
    },
  }
}
