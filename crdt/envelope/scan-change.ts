import { createHash } from 'node:crypto'
import { toHex } from '../authority/index.ts'
import { createByteCursor } from './byte-cursor.ts'
import { type ChangeLimits, changeLimits } from './change-limits.ts'
import { type ChangeRefusal, ChangeRefused, malformed } from './change-refusal.ts'
import type { Envelope } from './envelope.ts'
import { inflateBounded } from './inflate.ts'
import { scanOperations } from './scan-operations.ts'

/** What the bytes of a change say of it. */
export interface ChangeHeader {
  /** 32 hexadecimal digits. */
  readonly actor: string
  readonly seq: number
  /** The number of its first operation: 1 and up. */
  readonly startOp: number
  /** The number of its last operation; `startOp - 1` when it has none. */
  readonly maxOp: number
  /** Hashes of the changes it stands on, 64 hexadecimal digits each, in the order of the bytes. */
  readonly deps: readonly string[]
  readonly opCount: number
  /** 64 hexadecimal digits: the hash Automerge knows the change by, worked out from its bytes. */
  readonly hash: string
}

export type ScannedChange =
  | { readonly ok: true; readonly header: ChangeHeader }
  | { readonly ok: false; readonly refusal: ChangeRefusal }

const magic = '856f4a83'
const plainChunk = 1
const deflatedChunk = 2
const actorBytes = 16
const hashBytes = 32

/** The shortest LEB128 form of a length. */
const lengthBytes = (length: number): number[] => {
  const bytes: number[] = []
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest % 128) + 128)
  }
}

/** The plain body of the one chunk that `change` is, and its hash, held against the checksum. */
const openChunk = (change: Uint8Array, limits: ChangeLimits): { body: Uint8Array; hash: string } => {
  if (change.length > limits.bytes)
    throw new ChangeRefused('change-too-large', `the change has ${change.length} bytes, at most ${limits.bytes}`)
  const cursor = createByteCursor(change)
  if (toHex(cursor.take(4)) !== magic) throw new ChangeRefused('not-a-change', 'the bytes are no change of Automerge')
  const checksum = toHex(cursor.take(4))
  const [kind] = cursor.take(1)
  if (kind !== plainChunk && kind !== deflatedChunk)
    throw new ChangeRefused('not-a-change', `the bytes are a chunk of kind ${kind}, not one change`)
  const packed = cursor.take(cursor.unsigned())
  if (cursor.left() > 0) throw malformed('bytes follow it')
  const body = kind === plainChunk ? packed : inflateBounded(packed, limits.bytes)
  if (body === undefined)
    throw new ChangeRefused('bad-inflate', `the change does not inflate to at most ${limits.bytes} bytes`)
  // Automerge takes the hash of a deflated change over its plain form. Always SHA-256, so no power.
  const plain = [Uint8Array.of(plainChunk, ...lengthBytes(body.length)), body]
  const hash = createHash('sha256').update(Buffer.concat(plain)).digest('hex')
  if (!hash.startsWith(checksum)) throw new ChangeRefused('bad-checksum', 'the checksum of the change does not fit it')
  return { body, hash }
}

const readDeps = (cursor: ReturnType<typeof createByteCursor>, limits: ChangeLimits): string[] => {
  const count = cursor.unsigned()
  if (count > limits.dependencies)
    throw new ChangeRefused(
      'too-many-dependencies',
      `the change has ${count} dependencies, at most ${limits.dependencies}`,
    )
  const deps = Array.from({ length: count }, () => toHex(cursor.take(hashBytes)))
  if (new Set(deps).size !== count) throw malformed('a dependency is named twice')
  return deps
}

const readActor = (cursor: ReturnType<typeof createByteCursor>): string => {
  if (cursor.unsigned() !== actorBytes) throw malformed(`an actor does not have ${actorBytes} bytes`)
  return toHex(cursor.take(actorBytes))
}

const readOtherActors = (
  cursor: ReturnType<typeof createByteCursor>,
  actor: string,
  limits: ChangeLimits,
): string[] => {
  const count = cursor.unsigned()
  if (count > limits.actors)
    throw new ChangeRefused('too-many-actors', `the change names ${count} other actors, at most ${limits.actors}`)
  const actors = Array.from({ length: count }, () => readActor(cursor))
  if (new Set([actor, ...actors]).size !== count + 1) throw malformed('an actor is named twice')
  return actors
}

const scan = (change: Uint8Array, limits: ChangeLimits): ChangeHeader => {
  const { body, hash } = openChunk(change, limits)
  const cursor = createByteCursor(body)
  const deps = readDeps(cursor, limits)
  const actor = readActor(cursor)
  const seq = cursor.unsigned()
  if (seq < 1 || seq > 0xffffffff) throw new ChangeRefused('bad-sequence', `the change has the sequence number ${seq}`)
  const startOp = cursor.unsigned()
  if (startOp < 1 || startOp > limits.startOp)
    throw new ChangeRefused(
      'bad-start-op',
      `the change starts at operation ${startOp}, allowed are 1 to ${limits.startOp}`,
    )
  if (cursor.signed() !== 0)
    throw new ChangeRefused('unsupported-shape', 'the change carries a time: seal it with time 0')
  if (cursor.unsigned() !== 0)
    throw new ChangeRefused('unsupported-shape', 'the change carries a message: seal it without')
  const actorCount = 1 + readOtherActors(cursor, actor, limits).length
  const opCount = scanOperations(cursor.take(cursor.left()), { startOp, actorCount }, limits)
  return { actor, seq, startOp, maxOp: startOp + opCount - 1, deps, opCount, hash }
}

/**
 * Judges the bytes of a change before Automerge decodes any of them: bounded work and memory whatever they are, never an
 * error. What passes is one change of at most 1,000 puts and deletes in a flat map.
 *
 * @param limits @default changeLimits
 */
export const scanChange = (change: Uint8Array, limits: ChangeLimits = changeLimits): ScannedChange => {
  try {
    return { ok: true, header: scan(change, limits) }
  } catch (error) {
    if (error instanceof ChangeRefused) return { ok: false, refusal: error.refusal }
    throw error
  }
}

/** `scanChange` of an opened envelope, whose actor and sequence number must be those of its change. */
export const scanEnvelope = (envelope: Envelope): ScannedChange => {
  const scanned = scanChange(envelope.change)
  if (!scanned.ok) return scanned
  const refuse = (code: ChangeRefusal['code'], message: string): ScannedChange => ({
    ok: false,
    refusal: { code, message },
  })
  if (scanned.header.actor !== envelope.actor)
    return refuse('wrong-actor', 'the change has another actor than its envelope')
  if (scanned.header.seq !== envelope.seq)
    return refuse('wrong-sequence', 'the change has another sequence number than its envelope')
  return scanned
}

/**
 * Whether a change starts exactly one after the largest operation it stands on.
 * @param depMaxOps the `maxOp` of every dependency
 */
export const checkStartOp = (
  { startOp }: Pick<ChangeHeader, 'startOp'>,
  depMaxOps: Iterable<number>,
): ChangeRefusal | undefined => {
  let expected = 1
  for (const maxOp of depMaxOps) expected = Math.max(expected, maxOp + 1)
  if (startOp === expected) return undefined
  const message = `the change starts at operation ${startOp}; after what it stands on comes ${expected}`
  return { code: 'bad-start-op', message }
}
