/** Version of what ends say on a link; the first byte of the first frame names it (hello.ts). */
export const linkVersion = 1

/**
 * What travels on a link that carries many streams: body length (4 bytes), kind (1), stream (4), payload; numbers are
 * big-endian. The head and the `hello` and `refuse` frames are the same in every version, so that ends of different
 * versions can tell each other.
 */
export interface Frame {
  readonly kind: FrameKind
  /** 0 for the link itself; odd when the dialer opened it, even when the other end did. */
  readonly stream: number
  readonly payload: Uint8Array
}

/** `more` is a part of a message, `data` its last part; `credit` gives bytes back to the sender. */
export const frameKinds = [
  'hello',
  'refuse',
  'open',
  'more',
  'data',
  'credit',
  'close',
  'abort',
  'ping',
  'bye',
] as const
export type FrameKind = (typeof frameKinds)[number]

/** Largest payload of one frame in bytes: small enough that no stream holds up the others for long. */
export const maxPayloadBytes = 64 * 1024
export const headBytes = 9

export const encodeFrame = (frame: Frame): Uint8Array => encodeFrames([frame])

/** The frames one after the other, as they are sent. */
export const encodeFrames = (frames: readonly Frame[]): Uint8Array => {
  const bytes = new Uint8Array(frames.reduce((sum, { payload }) => sum + headBytes + payload.byteLength, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const { kind, stream, payload } of frames) {
    view.setUint32(at, headBytes - 4 + payload.byteLength)
    view.setUint8(at + 4, frameKinds.indexOf(kind))
    view.setUint32(at + 5, stream)
    bytes.set(payload, at + headBytes)
    at += headBytes + payload.byteLength
  }
  return bytes
}

/** Thrown for bytes that no peer of this version sends. The link they came on cannot be trusted to be in step. */
export class GarbageError extends Error {
  static override readonly name = 'GarbageError'
  readonly kind: 'garbage' | 'oversize'

  constructor(message: string, kind: 'garbage' | 'oversize' = 'garbage') {
    super(message)
    this.kind = kind
  }
}

/**
 * Cuts a byte stream into frames; holds at most one unfinished frame.
 * @throws {GarbageError} from the returned function, for a length or a kind that does not exist.
 */
export const createFrameReader = (): ((chunk: Uint8Array) => Frame[]) => {
  let rest: Uint8Array = new Uint8Array(0)
  return (chunk) => {
    const bytes = new Uint8Array(rest.byteLength + chunk.byteLength)
    bytes.set(rest)
    bytes.set(chunk, rest.byteLength)
    const view = new DataView(bytes.buffer)
    const frames: Frame[] = []
    let at = 0
    while (bytes.byteLength - at >= headBytes) {
      const bodyBytes = view.getUint32(at)
      if (bodyBytes > headBytes - 4 + maxPayloadBytes)
        throw new GarbageError(`a frame of ${bodyBytes} bytes`, 'oversize')
      if (bodyBytes < headBytes - 4) throw new GarbageError(`a frame of ${bodyBytes} bytes`)
      const kind = frameKinds[view.getUint8(at + 4)]
      if (kind === undefined) throw new GarbageError(`a frame of kind ${view.getUint8(at + 4)}`)
      if (bytes.byteLength - at < 4 + bodyBytes) break
      frames.push({ kind, stream: view.getUint32(at + 5), payload: bytes.subarray(at + headBytes, at + 4 + bodyBytes) })
      at += 4 + bodyBytes
    }
    rest = bytes.slice(at)
    return frames
  }
}

/** The text of a payload as far as a person should see it: at most 300 characters. */
export const payloadText = (payload: Uint8Array): string =>
  new TextDecoder().decode(payload.subarray(0, 1200)).slice(0, 300)
