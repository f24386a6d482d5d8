/**
 * Digests: one small value for the documents two ends may both hold, and how they find what differs.
 * Must not decide who may hold what, carry envelopes, or be trusted: it only says where to look.
 * Read first: digest.ts, digest-message.ts.
 */
export { createDigest, type Digest, type DigestContext, type RangeEntry, rangeCount } from './digest.ts'
export { type DigestDocument, leafOf } from './digest-leaf.ts'
export {
  type Comparison,
  compareDigest,
  type DecodedDigestMessage,
  type DigestMessage,
  decodeDigestMessage,
  digestFormat,
  digestLimits,
  encodeDigestMessage,
  rootMessage,
} from './digest-message.ts'
