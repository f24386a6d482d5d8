import type { SecuredConnection } from '@libp2p/interface'

/** What decodes lengths of Noise messages: it is asked again after each message whether another begins. */
interface Decoding {
  readonly decoder?: {
    lengthDecoder?: (bytes: { readonly byteLength: number }) => number
    readonly maxDataLength?: number
  }
}

const lengthBytes = 2

/**
 * libp2p throws an error, with its stack, each time a message is followed by nothing, which is nearly always: a fifth of what
 * it takes to hear a sign of life. Said to be the longest there may be, the next message has not come either.
 * @throws {Error} where a connection of Noise is not what this was made for
 */
export const spareErrors = <Secured extends Pick<SecuredConnection, 'connection'>>(secured: Secured): Secured => {
  const { decoder } = secured.connection as Decoding
  const { lengthDecoder: decode, maxDataLength } = decoder ?? {}
  if (decoder === undefined || typeof decode !== 'function' || typeof maxDataLength !== 'number')
    throw new Error('a connection of Noise is not what the mesh was made for')
  decoder.lengthDecoder = (bytes) => (bytes.byteLength < lengthBytes ? maxDataLength : decode(bytes))
  return secured
}
