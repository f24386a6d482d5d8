import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import type { Random } from '../../../base/index.ts'
import { nodeHash, type Signer, sealEnvelope, signatureBytes, toHex } from '../../../crdt/index.ts'
import { between, pick } from './fault.ts'

/** Where docs/adr/0010-envelopes.md has what, in bytes. */
const layout = {
  networkId: 1,
  documentId: 33,
  epoch: 49,
  author: 53,
  incarnation: 85,
  actor: 101,
  seq: 117,
  change: 125,
}

const hex = (bytes: Uint8Array, from: number, to: number) => toHex(bytes.subarray(from, to))

export const documentOf = (envelope: Uint8Array): string => hex(envelope, layout.documentId, layout.epoch)
export const authorOf = (envelope: Uint8Array): string => hex(envelope, layout.author, layout.incarnation)
const changeOf = (envelope: Uint8Array): Uint8Array => envelope.slice(layout.change, envelope.length - signatureBytes)

const flipBit = (bytes: Uint8Array, random: Random, from = 0): Uint8Array => {
  const flipped = Buffer.from(Uint8Array.from(bytes))
  const at = from + Math.floor(random.unit() * (flipped.length - from))
  flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << Math.floor(random.unit() * 8)), at)
  return Uint8Array.from(flipped)
}

export interface Author {
  readonly signer: Signer
  /** Of the actor, 32 hexadecimal digits. */
  readonly incarnation: string
  readonly seq: number
}

/** A change in the place of a genuine one, truly signed by whoever signs. */
export const signAnew = (genuine: Uint8Array, { signer, incarnation, seq }: Author, change: Uint8Array): Uint8Array =>
  sealEnvelope(
    {
      networkId: hex(genuine, layout.networkId, layout.documentId),
      documentId: documentOf(genuine),
      epoch: Buffer.from(genuine).readUInt32BE(layout.epoch),
      incarnation,
      seq,
      change,
    },
    signer,
    { hash: nodeHash },
  ).bytes

/** The name of the author with a signature that is not its own. */
export const spoilSignature = (genuine: Uint8Array, random: Random): Uint8Array =>
  flipBit(genuine, random, genuine.length - signatureBytes)

export const drawAuthor = (signer: Signer, random: Random): Author => ({
  signer,
  incarnation: toHex(random.bytes(16)),
  seq: 1,
})

const lengthBytes = (length: number): readonly number[] =>
  length < 128 ? [length] : [(length % 128) + 128, ...lengthBytes(Math.floor(length / 128))]

/** One chunk as Automerge writes it, with the right checksum. */
const chunkOf = (plain: Uint8Array, isDeflated: boolean): Uint8Array => {
  const checksum = createHash('sha256')
    .update(Buffer.from([1, ...lengthBytes(plain.length)]))
    .update(plain)
    .digest()
    .subarray(0, 4)
  const body = isDeflated ? deflateRawSync(plain) : plain
  const head = Buffer.from([isDeflated ? 2 : 1, ...lengthBytes(body.length)])
  return Uint8Array.from(Buffer.concat([Buffer.from('856f4a83', 'hex'), checksum, head, body]))
}

const bombBytes = 4 * 2 ** 20
let bomb: Uint8Array | undefined
/** Says that four thousand million of something follow. */
const endless = [0xff, 0xff, 0xff, 0xff, 0x0f]

/** What a change may be that an entitled key signed and no receiver can use; each in words. */
const poisons: readonly {
  readonly what: string
  readonly make: (genuine: Uint8Array, random: Random) => Uint8Array
}[] = [
  { what: 'noise', make: (_genuine, random) => random.bytes(between(random, 1, 300)) },
  { what: 'a change with a bit flipped', make: flipBit },
  { what: 'a change cut short', make: (genuine) => genuine.slice(0, Math.ceil(genuine.length / 2)) },
  {
    what: 'four megabytes of nothing in four kilobytes',
    make: () => {
      bomb ??= chunkOf(new Uint8Array(bombBytes), true)
      return bomb
    },
  },
  { what: 'a change with endless dependencies', make: () => chunkOf(Uint8Array.from(endless), false) },
  {
    what: 'a change with endless operations',
    make: (_genuine, random) =>
      chunkOf(Uint8Array.from([0, 16, ...random.bytes(16), 1, 1, 0, 0, 0, 1, 0x70, 5, ...endless]), false),
  },
]

export const poisonOf = (
  genuine: Uint8Array,
  signer: Signer,
  random: Random,
): { readonly what: string; readonly envelope: Uint8Array } => {
  const { what, make } = pick(random, poisons) as (typeof poisons)[number]
  return { what, envelope: signAnew(genuine, drawAuthor(signer, random), make(changeOf(genuine), random)) }
}

/** The same change as another life of its author would have signed it. */
export const signAgain = (genuine: Uint8Array, signer: Signer, random: Random): Uint8Array =>
  signAnew(genuine, drawAuthor(signer, random), changeOf(genuine))

/** Two changes with one number of one actor. */
export const equivocation = (genuine: Uint8Array, signer: Signer, random: Random): readonly Uint8Array[] => {
  const author = drawAuthor(signer, random)
  const change = changeOf(genuine)
  return [signAnew(genuine, author, change), signAnew(genuine, author, flipBit(change, random))]
}

/** What nobody signed, or somebody who may not. */
export const forgeries = (genuine: Uint8Array, signer: Signer, random: Random): readonly Uint8Array[] => [
  spoilSignature(genuine, random),
  signAnew(genuine, drawAuthor(signer, random), changeOf(genuine)),
  flipBit(genuine, random),
]
