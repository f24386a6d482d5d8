import type { Mesh, MeshLink, MeshStream } from '../../../mesh/index.ts'

/** All that one end sent on one stream, message by message. */
export interface Capture {
  /** Who sent it. */
  readonly from: string
  /** Key of the peer at the other end, as the link proved it. */
  readonly peer: string
  readonly purpose: string
  readonly messages: Uint8Array[]
}

/** Where a node's links pass by in plain text, before they are sealed and after. */
export interface Tap {
  readonly captures: readonly Capture[]
  /** Bytes that came in, over all links: what one end sent, another received. */
  receivedBytes(): number
  /** The newest link of `node` to a peer, as the node itself has it. */
  linkOf(node: string, peer: string): MeshLink | undefined
  /** The same mesh, listened to. */
  attach(node: string, mesh: Mesh): Mesh
}

/**
 * Listens to everything that nodes send each other. It stands in the Mesh power a node is handed by whoever starts it: the
 * program has no option, file or variable that leads here.
 */
export const createTap = (): Tap => {
  const captures: Capture[] = []
  const newest = new Map<string, MeshLink>()
  let received = 0

  const tapStream = (from: string, peer: string, stream: MeshStream): MeshStream => {
    const capture: Capture = { from, peer, purpose: stream.purpose, messages: [] }
    captures.push(capture)
    const messages = async function* () {
      for await (const message of stream.messages) {
        received += message.byteLength
        yield message
      }
    }
    return {
      purpose: stream.purpose,
      priority: stream.priority,
      send: (message) => {
        // A copy: whoever sends may use its buffer again.
        capture.messages.push(message.slice())
        return stream.send(message)
      },
      messages: messages(),
      close: () => stream.close(),
      abort: (reason) => stream.abort(reason),
    }
  }
  const originals = new WeakMap<MeshLink, MeshLink>()
  const tapLink = (node: string, link: MeshLink): MeshLink => {
    const tapped: MeshLink = {
      peer: link.peer,
      heardAgeMs: () => link.heardAgeMs(),
      closed: link.closed,
      close: () => link.close(),
      openStream: async (purpose, options) => tapStream(node, link.peer, await link.openStream(purpose, options)),
    }
    originals.set(tapped, link)
    newest.set(`${node} ${link.peer}`, tapped)
    return tapped
  }

  return {
    captures,
    receivedBytes: () => received,
    linkOf: (node, peer) => newest.get(`${node} ${peer}`),
    attach: (node, mesh) => ({
      start: () => mesh.start(),
      stop: () => mesh.stop(),
      addresses: () => mesh.addresses(),
      dial: async (address, options) => tapLink(node, await mesh.dial(address, options)),
      onLink: (accept) => mesh.onLink((link) => accept(tapLink(node, link))),
      onStream: (link, accept) =>
        mesh.onStream(originals.get(link) ?? link, (stream) => accept(tapStream(node, link.peer, stream))),
    }),
  }
}
