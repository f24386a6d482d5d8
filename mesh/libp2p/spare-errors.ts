import type { SecuredConnection } from '@libp2p/interface'

/** What decodes lengths of Noise messages: it is asked again after each message whether another begins. */
interface Decoding {
  readonly decoder?: { lengthDecoder?: (bytes: { readonly byteLength: number }) => number }
}

const lengthBytes = 2
/** Says that the next message has not come; made once, as its stack costs more than to decrypt a short message. */
const notYet = new RangeError('the length of the next message has not come yet')

/**
 * libp2p makes an error, with its stack, each time a message is followed by nothing, which is nearly always: a fifth of what
 * it takes to hear a sign of life.
 * @throws {Error} where a connection of Noise is not what this was made for
 */
export const spareErrors = <Secured extends Pick<SecuredConnection, 'connection'>>(secured: Secured): Secured => {
  const { decoder } = secured.connection as Decoding
  const decode = decoder?.lengthDecoder
  if (decoder === undefined || typeof decode !== 'function')
    throw new Error('a connection of Noise is not what the mesh was made for')
  decoder.lengthDecoder = (bytes) => {
    if (bytes.byteLength < lengthBytes) throw notYet
    return decode(bytes)
  }
  return secured
}
