import { type Envelope, envelopeEpoch, openEnvelope } from '../envelope/index.ts'
import { type LaneName, type LaneValue, readLaneChange } from '../lane/index.ts'
import type { StoreChange } from '../store/index.ts'
import { lateKey, latePrefix, readDocumentKey } from './document-keys.ts'
import type { Desk } from './lane-desk.ts'

/**
 * Why a change is late. `cut`: its epoch was sealed without it. `rival`: its epoch lost to another seal. `unsure`: this
 * node took the lane whole and cannot tell whether the seal holds it. `excluded`: it did not count when its epoch was sealed.
 */
export type LateReason = 'cut' | 'rival' | 'unsure' | 'excluded'

/** A change outside of what its lane came to: kept and listed until somebody writes what it said anew. */
export interface LateChange {
  readonly documentId: string
  readonly lane: LaneName
  readonly epoch: number
  /** Of the envelope. */
  readonly hash: string
  /** The key that signed it. */
  readonly author: string
  readonly reason: LateReason
  /** What it put under which key; empty when it does not say it readably. */
  readonly puts: readonly { readonly key: string; readonly value: LaneValue }[]
}

const reasons = ['cut', 'rival', 'unsure', 'excluded'] as const satisfies readonly LateReason[]
const lateVersion = 1

/** Format 1 of a late change on disk: version, reason, envelope. */
export const encodeLate = (reason: LateReason, envelope: Uint8Array): Uint8Array =>
  Uint8Array.from(Buffer.concat([Uint8Array.of(lateVersion, reasons.indexOf(reason)), envelope]))

/** Undefined when it is of another version or is none. */
export const decodeLate = (
  bytes: Uint8Array,
): { readonly reason: LateReason; readonly envelope: Uint8Array } | undefined => {
  const reason = reasons[bytes[1] ?? reasons.length]
  return bytes[0] !== lateVersion || reason === undefined ? undefined : { reason, envelope: bytes.subarray(2) }
}

export const putLate = (envelope: Envelope, reason: LateReason): StoreChange => ({
  kind: 'put',
  key: lateKey(envelope.documentId, envelope.epoch, envelope.hash),
  value: encodeLate(reason, envelope.bytes),
})

export interface StoredLate {
  readonly envelope: Envelope
  readonly reason: LateReason
}

/** Late changes of a document as stored: judged before they were written. */
export const readLate = async (
  { store, powers }: Pick<Desk, 'store' | 'powers'>,
  documentId: string,
): Promise<readonly StoredLate[]> => {
  const found: StoredLate[] = []
  for await (const { key, value } of store.scan({ prefix: latePrefix(documentId) })) {
    const late = value && decodeLate(value)
    const named = readDocumentKey(key)
    if (late === undefined || named?.kind !== 'late') continue
    const place = { networkId: '', documentId, epoch: envelopeEpoch(late.envelope) ?? 0, writers: new Map() }
    const opened = openEnvelope(late.envelope, place, powers, [])
    if (opened.ok && opened.envelope.hash === named.hash) found.push({ envelope: opened.envelope, reason: late.reason })
  }
  return found
}

/** What a late change said, as far as it can be read. */
export const describeLate = ({ envelope, reason }: StoredLate, lane: LaneName, { powers }: Desk): LateChange => {
  const { documentId, epoch, hash, author } = envelope
  const read = readLaneChange(envelope, lane.kind, powers.hash)
  const puts = read.ok ? read.change.puts.map(({ key, value }) => ({ key, value })) : []
  return { documentId, lane, epoch, hash, author, reason, puts }
}
