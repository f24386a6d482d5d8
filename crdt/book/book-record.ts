import {
  type Beacon,
  type BlockList,
  beaconKind,
  blockListKind,
  type Certificate,
  certificateKind,
  type Delegation,
  type DeploymentVersion,
  delegationKind,
  deploymentVersionKind,
  type Hash,
  type KeyList,
  keyListKind,
  type Root,
  readRecord,
  recordLimits,
  rootKind,
  type SignedRecord,
  type Verdict,
  verdictKind,
} from '../authority/index.ts'
import type { BookKind, BookRefusal } from './book.ts'

interface Bodies {
  readonly root: Root
  readonly 'key-list': KeyList
  readonly 'block-list': BlockList
  readonly verdict: Verdict
  readonly delegation: Delegation
  readonly certificate: Certificate
  readonly 'deployment-version': DeploymentVersion
  readonly beacon: Beacon
}

/** A record of one of the kinds a book keeps, with what it says. */
export type SignedBookRecord = {
  readonly [Kind in BookKind]: { readonly kind: Kind; readonly record: SignedRecord<Bodies[Kind]> }
}[BookKind]

export type ReadBookRecord =
  | ({ readonly ok: true } & SignedBookRecord)
  | { readonly ok: false; readonly refusal: BookRefusal }

const kinds = {
  root: rootKind,
  'key-list': keyListKind,
  'block-list': blockListKind,
  verdict: verdictKind,
  delegation: delegationKind,
  certificate: certificateKind,
  'deployment-version': deploymentVersionKind,
  beacon: beaconKind,
} as const

const isBookKind = (name: unknown): name is BookKind => typeof name === 'string' && Object.hasOwn(kinds, name)

/** What the body of a record says, without judging anything; undefined when it holds no object. */
export const sketchOf = (bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined => {
  if (bytes.length < 5) return undefined
  const sizeBytes = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1)
  if (sizeBytes > recordLimits.bodyBytes || sizeBytes > bytes.length - 5) return undefined
  try {
    const body: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(5, 5 + sizeBytes)))
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const refuse = (code: BookRefusal['code'], message: string): ReadBookRecord => ({
  ok: false,
  refusal: { code, message } as BookRefusal,
})

/**
 * Reads a record of whichever kind its body says, and judges its form as `readRecord` does; never throws. Who signed it
 * is for the book to judge.
 */
export const readBookRecord = (bytes: Uint8Array, powers: { readonly hash: Hash }): ReadBookRecord => {
  if ((bytes[0] ?? 0) > 1)
    return refuse('newer-format', 'the record has a newer format than 1: update this node to read it')
  const name = sketchOf(bytes)?.kind
  if (name === undefined) return refuse('bad-record', 'the bytes are no signed record')
  if (!isBookKind(name))
    return refuse('unknown-kind', 'the record is of a kind this node does not know: update this node to read it')
  const read = readRecord(kinds[name] as (typeof kinds)['root'], bytes, powers)
  return read.ok ? ({ ok: true, kind: name, record: read.record } as { ok: true } & SignedBookRecord) : read
}
