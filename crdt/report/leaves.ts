import * as z from 'zod'
import { fromHex, type Hash, signedMessage, toHex } from '../authority/index.ts'

/** One member below a zone, as the zone knows it; only its hash goes into the root. */
export interface Leaf {
  /** A host with its snapshot, or a zone that keeps its hosts to itself with its roll-up. */
  readonly kind: 'host' | 'zone'
  /** The host's name or the zone's path. */
  readonly name: string
  /** 32 hexadecimal digits: 16 random bytes, so that nobody can try names against the hash. */
  readonly salt: string
  /** The hash of its snapshot or roll-up, 64 hexadecimal digits. */
  readonly report: string
}

/** A leaf and why it is under the root: what a zone hands out for a leaf it lets a parent see. */
export interface LeafProof {
  readonly leaf: Leaf
  /** Where it stands among the leaves sorted by their hashes. */
  readonly index: number
  /** Hashes of the subtrees beside its way to the root, lowest first. */
  readonly path: readonly string[]
}

export const leafLimits = {
  /** Four times the largest zone there is to be. */
  leaves: 65_536,
  nameBytes: 1_024,
} as const
const mostSteps = 16

const hash32 = z.string().regex(/^[0-9a-f]{64}$/)
const leafShape = z.strictObject({
  kind: z.enum(['host', 'zone']),
  name: z.string().refine((text) => text.isWellFormed() && Buffer.byteLength(text) <= leafLimits.nameBytes),
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  report: hash32,
})
const proofShape = z.strictObject({
  leaf: leafShape,
  index: z.number().int().min(0).max(leafLimits.leaves),
  path: z.array(hash32).max(mostSteps),
})

/** @throws {RangeError} when the leaf is not in its shape */
const leafHash = (leaf: Leaf, hash: Hash): string => {
  if (!leafShape.safeParse(leaf).success)
    throw new RangeError('a leaf has a kind, a name, a salt of 16 bytes and a hash of 32')
  const name = Buffer.from(leaf.name)
  const head = Buffer.alloc(3)
  head.writeUInt8(leaf.kind === 'host' ? 0 : 1)
  head.writeUInt16BE(name.length, 1)
  const parts = Buffer.concat([fromHex(leaf.salt), head, name, fromHex(leaf.report)])
  return toHex(hash.sha256(signedMessage('roll-up-leaf', parts)))
}

/** Another tag than a leaf's: no inner node can be shown as a leaf, nor a leaf as an inner node. */
const nodeHash = (left: string, right: string, hash: Hash): string =>
  toHex(hash.sha256(signedMessage('roll-up-node', Buffer.concat([fromHex(left), fromHex(right)]))))

/** The largest power of two below `count`: how many leaves stand left (RFC 9162 section 2.1.1); nothing is there twice. */
const leftOf = (count: number): number => 2 ** Math.floor(Math.log2(count - 1))

const rootOf = (hashes: readonly string[], hash: Hash): string => {
  const [only = ''] = hashes
  if (hashes.length <= 1) return only
  const split = leftOf(hashes.length)
  return nodeHash(rootOf(hashes.slice(0, split), hash), rootOf(hashes.slice(split), hash), hash)
}

const pathOf = (hashes: readonly string[], at: number, hash: Hash): readonly string[] => {
  if (hashes.length <= 1) return []
  const split = leftOf(hashes.length)
  const [left, right] = [hashes.slice(0, split), hashes.slice(split)]
  return at < split
    ? [...pathOf(left, at, hash), rootOf(right, hash)]
    : [...pathOf(right, at - split, hash), rootOf(left, hash)]
}

const sortedHashes = (leaves: readonly Leaf[], hash: Hash): readonly string[] => {
  if (leaves.length > leafLimits.leaves)
    throw new RangeError(`a roll-up has at most ${leafLimits.leaves} leaves, not ${leaves.length}`)
  if (new Set(leaves.map(({ kind, name }) => `${kind} ${name}`)).size < leaves.length)
    throw new RangeError('a host or zone has one leaf, not two')
  return leaves.map((leaf) => leafHash(leaf, hash)).toSorted()
}

/**
 * The root over the leaves, in any order; null when there are none.
 * @throws {RangeError} when a leaf is not in its shape, one is there twice, or there are more than 65,536
 */
export const leavesRoot = (leaves: readonly Leaf[], hash: Hash): string | null =>
  leaves.length === 0 ? null : rootOf(sortedHashes(leaves, hash), hash)

/**
 * Shows that one of the leaves is under their root; undefined when there is none of that name.
 * @throws {RangeError} as `leavesRoot`
 */
export const proveLeaf = (
  leaves: readonly Leaf[],
  { kind, name }: Pick<Leaf, 'kind' | 'name'>,
  hash: Hash,
): LeafProof | undefined => {
  const leaf = leaves.find((one) => one.kind === kind && one.name === name)
  if (leaf === undefined) return undefined
  const hashes = sortedHashes(leaves, hash)
  const index = hashes.indexOf(leafHash(leaf, hash))
  return { leaf, index, path: pathOf(hashes, index, hash) }
}

/** The root that a path leads to from a leaf; undefined when its length does not fit the place among so many leaves. */
const climb = (from: string, { index, path }: LeafProof, count: number, hash: Hash): string | undefined => {
  // Steps from the root downwards: on which side the rest of the way stands.
  const isLeft: boolean[] = []
  for (let [at, of] = [index, count]; of > 1; ) {
    const split = leftOf(of)
    isLeft.unshift(at < split)
    if (at < split) of = split
    else [at, of] = [at - split, of - split]
  }
  if (path.length !== isLeft.length) return undefined
  return path.reduce(
    (here, beside, step) => (isLeft[step] ? nodeHash(here, beside, hash) : nodeHash(beside, here, hash)),
    from,
  )
}

/**
 * The leaf that a proof shows to be one of those a roll-up counted; undefined when it shows none. Never throws, whatever
 * a peer sent.
 * @param rollUp of which the signature was verified: how many leaves, and their root
 */
export const checkLeaf = (
  { leaves, root }: { readonly leaves: number; readonly root: string | null },
  proof: unknown,
  hash: Hash,
): Leaf | undefined => {
  const read = proofShape.safeParse(proof)
  if (!read.success || read.data.index >= leaves) return undefined
  return climb(leafHash(read.data.leaf, hash), read.data, leaves, hash) === root ? read.data.leaf : undefined
}
