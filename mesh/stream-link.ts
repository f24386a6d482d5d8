import { type CreditStream, createCreditStream } from './credit-stream.ts'
import { type Frame, GarbageError, payloadText } from './frames.ts'
import { type MeshLink, type MeshStream, type PeerKey, type Priority, priorities } from './mesh.ts'
import { MeshError } from './mesh-error.ts'

/** Streams a peer may have open on one link at a time; one more is aborted. A node needs a handful. */
export const maxPeerStreams = 1000
/**
 * Bytes that may lie unread on all streams of one link together; the stream that goes past it is aborted, the link
 * lives. Thirty-two full windows: a peer that opens many streams nobody reads must not fill the memory.
 */
export const maxHeldBytes = 64 * 1024 * 1024
const maxPurposeCharacters = 100

/** A link over anything that carries whole frames in order. */
export interface StreamLink extends MeshLink {
  onStream(accept: (stream: MeshStream) => void): void
  /** Takes a frame of the peer. @throws {GarbageError} when no peer of this version sends it. */
  receive(frame: Frame): void
  /** Ends every stream with `link-lost`. Doing it twice is harmless; the first reason stays. */
  end(reason: string): void
}

export interface StreamLinkOptions {
  readonly peer: PeerKey
  readonly dialed: boolean
  readonly write: (frame: Frame, priority: Priority) => void
  /** Undefined while a part of a message may be written, else resolves when to ask again. @default always room */
  readonly room?: (priority: Priority) => Promise<void> | undefined
  /** How long ago a byte of the peer came, in milliseconds. @default it comes at once or never: 0 */
  readonly heardAgeMs?: () => number
  /** Tells the peer, after all that was written, and lets go of what carries the frames. */
  readonly hangUp: () => void
}

export const createStreamLink = (options: StreamLinkOptions): StreamLink => {
  const { peer, dialed, write, hangUp, heardAgeMs = () => 0 } = options
  const streams = new Map<number, CreditStream>()
  const early: MeshStream[] = []
  const closed = Promise.withResolvers<string>()
  let nextId = dialed ? 1 : 2
  const lastPeerIds: Record<Priority, number> = { control: 0, events: 0, bulk: 0 }
  let peerStreams = 0
  let gone: string | undefined
  let accept: ((stream: MeshStream) => void) | undefined

  const add = (id: number, purpose: string, priority: Priority): CreditStream => {
    const ours = id % 2 === (dialed ? 1 : 0)
    const stream = createCreditStream({
      purpose,
      priority,
      write: (kind, payload) => {
        // Credit holds nobody up and lets the other end go on: it never waits behind our own messages.
        if (gone === undefined) write({ kind, stream: id, payload }, kind === 'credit' ? 'control' : priority)
      },
      room: () => (gone === undefined ? options.room?.(priority) : undefined),
      done: () => {
        if (streams.delete(id) && !ours) peerStreams--
      },
    })
    streams.set(id, stream)
    return stream
  }
  const admit = ({ stream: id, payload }: Frame) => {
    if (payload.byteLength > 1 + 4 * maxPurposeCharacters)
      throw new GarbageError('a stream with an endless purpose', 'oversize')
    const priority = priorities[payload[0] ?? priorities.length]
    if (!priority) throw new GarbageError('a stream of unknown priority')
    // On a busy link an urgent stream overtakes one that was opened before it: only those of one priority keep their order.
    if (id <= lastPeerIds[priority] || id % 2 === (dialed ? 1 : 0) || streams.has(id))
      throw new GarbageError(`stream ${id} opened out of order`)
    lastPeerIds[priority] = id
    if (peerStreams >= maxPeerStreams) {
      const reason = new TextEncoder().encode(`more than ${maxPeerStreams} open streams on one link`)
      return write({ kind: 'abort', stream: id, payload: reason }, 'control')
    }
    peerStreams++
    const stream = add(id, payloadText(payload.subarray(1)), priority)
    if (accept) accept(stream)
    else early.push(stream)
  }
  const deliver = (frame: Frame) => {
    const stream = streams.get(frame.stream)
    // A stream that is over here may still get what the peer sent before it knew.
    if (!stream) return
    stream.receive(frame)
    // Only a stream that holds much itself can be the one too many: summing up for each frame would be slow.
    if (stream.heldBytes() < maxHeldBytes / maxPeerStreams) return
    let heldBytes = 0
    for (const each of streams.values()) heldBytes += each.heldBytes()
    if (heldBytes > maxHeldBytes) stream.abort(`more than ${maxHeldBytes} bytes unread on one link`)
  }

  const link: StreamLink = {
    peer,
    heardAgeMs,
    closed: closed.promise,
    openStream: async (purpose, { priority = 'control' } = {}) => {
      if (gone !== undefined) throw new MeshError('link-lost', `cannot open stream ${purpose} to ${peer}: ${gone}`)
      if (purpose.length > maxPurposeCharacters)
        throw new RangeError(`a purpose of over ${maxPurposeCharacters} characters`)
      const id = nextId
      nextId += 2
      const stream = add(id, purpose, priority)
      const payload = Uint8Array.from([priorities.indexOf(priority), ...new TextEncoder().encode(purpose)])
      write({ kind: 'open', stream: id, payload }, priority)
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
      else if (frame.stream !== 0) deliver(frame)
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
