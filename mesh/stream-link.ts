import { type CreditStream, createCreditStream } from './credit-stream.ts'
import { type Frame, GarbageError, payloadText } from './frames.ts'
import type { MeshLink, MeshStream, PeerName } from './mesh.ts'
import { MeshError } from './mesh-error.ts'

/** Streams a peer may have open on one link at a time; one more is aborted. A node needs a handful. */
export const maxPeerStreams = 1000
const maxPurposeCharacters = 100

/** A link over anything that carries whole frames in order. */
export interface StreamLink extends MeshLink {
  onStream(accept: (stream: MeshStream) => void): void
  /** Takes a frame of the peer. @throws {GarbageError} when no peer of this version sends it. */
  receive(frame: Frame): void
  /** Ends every stream with `link-lost`. Doing it twice is harmless; the first reason stays. */
  end(reason: string): void
}

export const createStreamLink = (options: {
  readonly peer: PeerName
  readonly dialed: boolean
  readonly write: (frame: Frame) => void
  /** Tells the peer and lets go of what carries the frames. */
  readonly hangUp: () => void
}): StreamLink => {
  const { peer, dialed, write, hangUp } = options
  const streams = new Map<number, CreditStream>()
  const early: MeshStream[] = []
  const closed = Promise.withResolvers<string>()
  let nextId = dialed ? 1 : 2
  let lastPeerId = 0
  let peerStreams = 0
  let gone: string | undefined
  let accept: ((stream: MeshStream) => void) | undefined

  const add = (id: number, purpose: string): CreditStream => {
    const ours = id % 2 === (dialed ? 1 : 0)
    const stream = createCreditStream(
      purpose,
      (kind, payload) => {
        if (gone === undefined) write({ kind, stream: id, payload })
      },
      () => {
        if (streams.delete(id) && !ours) peerStreams--
      },
    )
    streams.set(id, stream)
    return stream
  }
  const admit = ({ stream: id, payload }: Frame) => {
    if (id <= lastPeerId || id % 2 === (dialed ? 1 : 0)) throw new GarbageError(`stream ${id} opened out of order`)
    if (payload.byteLength > 4 * maxPurposeCharacters) throw new GarbageError('a stream with an endless purpose')
    lastPeerId = id
    if (peerStreams >= maxPeerStreams) {
      const reason = new TextEncoder().encode(`more than ${maxPeerStreams} open streams on one link`)
      return write({ kind: 'abort', stream: id, payload: reason })
    }
    peerStreams++
    const stream = add(id, payloadText(payload))
    if (accept) accept(stream)
    else early.push(stream)
  }

  const link: StreamLink = {
    peer,
    closed: closed.promise,
    openStream: async (purpose) => {
      if (gone !== undefined) throw new MeshError('link-lost', `cannot open stream ${purpose} to ${peer}: ${gone}`)
      if (purpose.length > maxPurposeCharacters)
        throw new RangeError(`a purpose of over ${maxPurposeCharacters} characters`)
      const id = nextId
      nextId += 2
      const stream = add(id, purpose)
      write({ kind: 'open', stream: id, payload: new TextEncoder().encode(purpose) })
      return stream
    },
    close: async () => {
      if (gone !== undefined) return
      link.end('closed here')
      hangUp()
    },
    onStream: (handler) => {
      accept = handler
      for (const stream of early.splice(0)) handler(stream)
    },
    receive: (frame) => {
      if (gone !== undefined) return
      if (frame.kind === 'open') admit(frame)
      // A stream that is over here may still get what the peer sent before it knew.
      else if (frame.stream !== 0) streams.get(frame.stream)?.receive(frame)
      else if (frame.kind !== 'ping') throw new GarbageError(`a ${frame.kind} frame in the middle of a link`)
    },
    end: (reason) => {
      if (gone !== undefined) return
      gone = reason
      for (const stream of [...streams.values()]) stream.lose(reason)
      closed.resolve(reason)
    },
  }
  return link
}
