import { type Clock, errorText, type Log, SkerryError } from '../base/index.ts'
import type { Mesh, MeshLink, MeshStream } from '../mesh/index.ts'
import { answer, ask, type LinkAnswer, nextDocument, readerOf, sendDocument } from './link-messages.ts'

export interface Downlinks {
  /** Children that are linked now or were since this node started. */
  children(): readonly { readonly peer: string; readonly up: boolean; readonly forMs: number }[]
  /** Sends each linked child what is wanted of it now. */
  intentsChanged(): void
  /** @throws {SkerryError} `link-down` when the child is not linked, or the child's refusal */
  request(peer: string, question: unknown, signal?: AbortSignal): Promise<LinkAnswer>
}

export interface DownlinksOptions {
  readonly mesh: Mesh
  readonly clock: Clock
  readonly log: Log
  /** What is wanted of the child; undefined refuses it: it is no child of ours. */
  readonly intentsFor: (peer: string) => unknown
  readonly onReports: (peer: string, reports: unknown) => void
  /** A child came or went. */
  readonly onChange: () => void
  /** Bytes of an archive the child asked for. @throws {SkerryError} `not-held` */
  readonly archive: (archive: string, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>
}

interface Child {
  link: MeshLink | undefined
  sinceMs: number
  /** Sends the newest intents; a send under way is followed by at most one more. */
  push: () => void
}

/** Accepts links of children, the newest link of a child winning. */
export const createDownlinks = (options: DownlinksOptions): Downlinks => {
  const { mesh, clock, log } = options
  const children = new Map<string, Child>()

  const pusher = (link: MeshLink): (() => void) => {
    const stream = link.openStream('intents')
    let sending = false
    let again = false
    const push = async () => {
      again = true
      if (sending) return
      sending = true
      try {
        while (again) {
          again = false
          await sendDocument(await stream, options.intentsFor(link.peer))
        }
      } finally {
        sending = false
      }
    }
    return () =>
      void push().catch((error: unknown) => {
        log.warn('intents could not be sent', { peer: link.peer, error: errorText(error) })
        return link.close()
      })
  }

  const readReports = async (peer: string, stream: MeshStream) => {
    const reader = readerOf(stream)
    for (let reports = await nextDocument(reader); reports !== undefined; reports = await nextDocument(reader))
      options.onReports(peer, reports)
  }

  const acceptStream = (peer: string) => (stream: MeshStream) => {
    const failed = (error: unknown) => {
      log.warn('a stream of a child failed', { peer, purpose: stream.purpose, error: errorText(error) })
      stream.abort('failed')
    }
    if (stream.purpose === 'reports') readReports(peer, stream).catch(failed)
    else if (stream.purpose === 'archive')
      answer(stream, async (question, signal) => {
        const { archive } = question as { archive?: unknown }
        return { head: {}, body: await options.archive(String(archive), signal) }
      }).catch(failed)
    else stream.abort(`unknown purpose ${stream.purpose}`)
  }

  mesh.onLink((link) => {
    const { peer } = link
    if (options.intentsFor(peer) === undefined) {
      log.warn('refused a link: not a child of this node', { peer })
      void link.close()
      return
    }
    const before = children.get(peer)?.link
    mesh.onStream(link, acceptStream(peer))
    const child: Child = { link, sinceMs: clock.monotonicMs(), push: pusher(link) }
    children.set(peer, child)
    void before?.close()
    log.info('child linked', { peer })
    child.push()
    options.onChange()
    void link.closed.then((reason) => {
      if (children.get(peer) !== child) return
      child.link = undefined
      child.sinceMs = clock.monotonicMs()
      log.info('child lost', { peer, reason })
      options.onChange()
    })
  })

  return {
    children: () =>
      [...children]
        .map(([peer, { link, sinceMs }]) => ({ peer, up: link !== undefined, forMs: clock.monotonicMs() - sinceMs }))
        .toSorted((a, b) => (a.peer < b.peer ? -1 : 1)),
    intentsChanged: () => {
      for (const { link, push } of children.values()) if (link) push()
    },
    request: async (peer, question, signal) => {
      const link = children.get(peer)?.link
      if (!link) throw new SkerryError('link-down', `${peer} is not linked to this node now; try again when it is back`)
      return ask(link, 'request', question, signal)
    },
  }
}
