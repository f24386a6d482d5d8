import { toHex } from './signatures.ts'

/**
 * The y coordinates of the points of small order on edwards25519, also where they are written unreduced (RFC 8032
 * section 5.1.3; the same list as libsodium's ge25519_has_small_order). With such a key one signature fits many
 * messages, so nobody could prove who wrote what.
 */
const smallOrder: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

/** Whether a raw Ed25519 public key is a point of small order, with either sign of x. */
export const isWeakKey = (publicKey: Uint8Array): boolean => {
  if (publicKey.length !== 32) return false
  const unsigned = Uint8Array.from(publicKey)
  unsigned[31] = (unsigned[31] ?? 0) & 0x7f
  return smallOrder.has(toHex(unsigned))
}
