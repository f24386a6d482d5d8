import { type Frame, GarbageError, maxPayloadBytes } from './frames.ts'
import type { MeshStream, Priority } from './mesh.ts'
import { MeshError } from './mesh-error.ts'

/** Largest message in bytes, as the port says. */
export const maxMessageBytes = 1024 * 1024
/**
 * Bytes a stream may have on the way or unread. Must exceed the largest message with its frames' overhead by more than
 * a quarter, because up to a quarter of the window is read but not given back yet.
 */
export const windowBytes = 2 * 1024 * 1024
/** Counted for each frame beside its payload, so that empty messages are bounded too. */
const frameCostBytes = 16

/** One stream as its link sees it. */
export interface CreditStream extends MeshStream {
  /** Takes a frame of the peer. @throws {GarbageError} when the peer sends more than it may. */
  receive(frame: Frame): void
  /** The link is gone. */
  lose(reason: string): void
  /** Bytes that came and were not read yet, with what a frame costs. */
  heldBytes(): number
}

/** How a stream reaches its link. */
export interface StreamWriter {
  readonly purpose: string
  readonly priority: Priority
  /** Sends one frame of this stream; never waits. */
  readonly write: (kind: Frame['kind'], payload: Uint8Array) => void
  /** Undefined when the link takes another part of a message now, else resolves when to ask again. */
  readonly room: () => Promise<void> | undefined
  /** Called once, when both directions have ended. */
  readonly done: () => void
}

export const createCreditStream = ({ purpose, priority, write, room, done }: StreamWriter): CreditStream => {
  const ready: { message: Uint8Array; costBytes: number }[] = []
  let parts: Uint8Array[] = []
  let partBytes = 0
  let partCostBytes = 0
  let heldBytes = 0
  let owedBytes = 0
  let creditBytes = windowBytes
  let closedHere = false
  let closedThere = false
  let ended: MeshError | undefined
  let change = Promise.withResolvers<void>()
  let turn: Promise<unknown> = Promise.resolve()

  const changed = () => {
    change.resolve()
    change = Promise.withResolvers()
  }
  const finish = (error: MeshError) => {
    if (ended) return
    ended = error
    changed()
    done()
  }
  const finishWhenClosed = () => {
    if (closedHere && closedThere && !ended) done()
  }
  const giveBack = (costBytes: number) => {
    heldBytes -= costBytes
    owedBytes += costBytes
    if (owedBytes < windowBytes / 4 || ended || closedThere) return
    const payload = new Uint8Array(4)
    new DataView(payload.buffer).setUint32(0, owedBytes)
    owedBytes = 0
    write('credit', payload)
  }
  const refuseSend = () => {
    if (ended)
      throw new MeshError('stream-closed', `cannot send on stream ${purpose}: ${ended.message}`, { cause: ended })
    if (closedHere) throw new MeshError('stream-closed', `cannot send on stream ${purpose}: it was closed here`)
  }
  const sendNow = async (message: Uint8Array) => {
    for (let at = 0; at === 0 || at < message.byteLength; at += maxPayloadBytes) {
      const part = message.subarray(at, at + maxPayloadBytes)
      const costBytes = part.byteLength + frameCostBytes
      for (let wait = room(); !ended; wait = room())
        if (wait) await Promise.race([wait, change.promise])
        else if (creditBytes < costBytes) await change.promise
        else break
      refuseSend()
      creditBytes -= costBytes
      // A copy: the frame may wait in the link's queue while the caller uses its buffer again.
      write(at + maxPayloadBytes < message.byteLength ? 'more' : 'data', part.slice())
    }
  }
  const takePart = ({ kind, payload }: Frame) => {
    heldBytes += payload.byteLength + frameCostBytes
    partBytes += payload.byteLength
    partCostBytes += payload.byteLength + frameCostBytes
    if (heldBytes > windowBytes) throw new GarbageError(`more on stream ${purpose} than its window allows`, 'oversize')
    if (partBytes > maxMessageBytes)
      throw new GarbageError(`a message over ${maxMessageBytes} bytes on stream ${purpose}`, 'oversize')
    if (closedThere) throw new GarbageError(`a message on stream ${purpose} after its end`)
    // A part waits for the others: it must not keep alive the larger chunk it came in.
    parts.push(kind === 'more' ? payload.slice() : payload)
    if (kind === 'more') return
    ready.push({ message: joinParts(parts, partBytes), costBytes: partCostBytes })
    parts = []
    partBytes = 0
    partCostBytes = 0
    changed()
  }

  return {
    purpose,
    priority,
    heldBytes: () => heldBytes,
    send: (message) => {
      if (message.byteLength > maxMessageBytes)
        return Promise.reject(
          new MeshError(
            'message-too-large',
            `cannot send ${message.byteLength} bytes on stream ${purpose}: split it into messages of at most ${maxMessageBytes}`,
          ),
        )
      const sent = turn.then(() => {
        refuseSend()
        return sendNow(message)
      })
      turn = sent.catch(() => {})
      return sent
    },
    messages: {
      async *[Symbol.asyncIterator]() {
        for (;;) {
          if (ended?.code === 'stream-aborted') throw ended
          const next = ready.shift()
          if (next) {
            giveBack(next.costBytes)
            yield next.message
          } else if (closedThere) return
          else if (ended) throw ended
          else await change.promise
        }
      },
    },
    close: async () => {
      await turn
      if (closedHere || ended) return
      closedHere = true
      write('close', new Uint8Array(0))
      finishWhenClosed()
    },
    abort: (reason) => {
      if (ended || (closedHere && closedThere)) return
      write('abort', new TextEncoder().encode(reason.slice(0, 300)))
      finish(new MeshError('stream-aborted', `stream ${purpose} was aborted here: ${reason}`))
    },
    receive: (frame) => {
      if (ended) return
      if (frame.kind === 'more' || frame.kind === 'data') takePart(frame)
      else if (frame.kind === 'credit') {
        creditBytes += frame.payload.byteLength === 4 ? new DataView(frame.payload.slice().buffer).getUint32(0) : 0
        if (creditBytes > windowBytes) throw new GarbageError(`more credit on stream ${purpose} than its window`)
        changed()
      } else if (frame.kind === 'close') {
        closedThere = true
        changed()
        finishWhenClosed()
      } else if (frame.kind === 'abort') {
        ready.length = 0
        const reason = new TextDecoder().decode(frame.payload.subarray(0, 1200))
        finish(new MeshError('stream-aborted', `stream ${purpose} was aborted by the other end: ${reason}`))
      }
    },
    lose: (reason) => finish(new MeshError('link-lost', `stream ${purpose} lost its link: ${reason}`)),
  }
}

const joinParts = (parts: readonly Uint8Array[], sizeBytes: number): Uint8Array => {
  const message = new Uint8Array(sizeBytes)
  let at = 0
  for (const part of parts) {
    message.set(part, at)
    at += part.byteLength
  }
  return message
}
