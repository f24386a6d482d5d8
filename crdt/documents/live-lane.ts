import type { AuthorityPowers } from '../authority/index.ts'
import { type Envelope, openEnvelope } from '../envelope/index.ts'
import {
  createLaneReplica,
  type Epoch,
  type LaneReplica,
  type LaneState,
  type Parking,
  parseState,
  stateHash,
} from '../lane/index.ts'
import { type Store, StoreError } from '../store/index.ts'
import { baseKey, envelopePrefix, readDocumentKey } from './document-keys.ts'
import { orderByDependencies } from './order-envelopes.ts'
import { type SealGuards, sealGuards } from './seal-guards.ts'
import { type Tally, tallyOf } from './tally.ts'

/** A replica with what is on disk of its lane. */
export interface LiveLane {
  readonly replica: LaneReplica
  /** Hashes of envelopes. */
  readonly onDisk: Set<string>
  /** Of what was on disk when the replica was made. */
  readonly sizeBytes: number
  /** The parking had no room for some that wait: when what they wait for comes, the lane is to be replayed. */
  readonly isPartial: boolean
}

export interface ReplayPowers {
  readonly store: Store
  readonly powers: AuthorityPowers
  readonly parking: Parking
}

export interface StoredEnvelopes {
  readonly envelopes: readonly Envelope[]
  /** Keys of values that are damaged or are not what their key says. */
  readonly damaged: readonly string[]
}

const noGuards = [] as const

/**
 * Reads what is stored of an epoch. What was signed for the place was judged before it was written, and the checksum
 * and the hash in the key say that it is the same still: signatures are not verified again.
 * @param isKnown whether they were written under this genesis. @default true; else each is judged anew
 */
export const readEnvelopes = async (
  epoch: Epoch,
  { store, powers }: Pick<ReplayPowers, 'store' | 'powers'>,
  isKnown = true,
): Promise<StoredEnvelopes> => {
  const found: Envelope[] = []
  const damaged: string[] = []
  for await (const { key, value } of store.scan({ prefix: envelopePrefix(epoch.documentId, epoch.epoch) })) {
    const named = readDocumentKey(key)
    const opened = value && openEnvelope(value, epoch.place, powers, ...(isKnown ? [noGuards] : []))
    if (named?.kind === 'envelope' && opened?.ok && opened.envelope.hash === named.hash) found.push(opened.envelope)
    else damaged.push(key)
  }
  return { envelopes: found, damaged }
}

/** An epoch, and what the one before came to: undefined in the first alone. */
export interface BasedEpoch {
  readonly epoch: Epoch
  readonly base: LaneState | undefined
}

/** A text that was handed in or stored as the base of an epoch, held against its genesis; undefined when it is another. */
export const readBaseText = (
  epoch: Epoch,
  bytes: Uint8Array,
  { hash }: AuthorityPowers,
  { isState }: Pick<SealGuards, 'isState'> = sealGuards,
): LaneState | undefined => {
  const parsed = parseState(new TextDecoder().decode(bytes), epoch.lane, hash)
  return parsed.ok && isState(epoch.base?.state ?? '', stateHash(parsed.state, hash)) ? parsed.state : undefined
}

/** What is stored as the base of an epoch; undefined when it is gone or damaged, and in the first. */
export const readBase = async (
  epoch: Epoch,
  { store, powers }: Pick<ReplayPowers, 'store' | 'powers'>,
): Promise<LaneState | undefined> => {
  if (epoch.base === null) return undefined
  try {
    const bytes = await store.get(baseKey(epoch.documentId, epoch.epoch))
    return bytes && readBaseText(epoch, bytes, powers)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'damaged-value') return undefined
    throw error
  }
}

const receiveAll = (
  { epoch, base }: BasedEpoch,
  envelopes: readonly Envelope[],
  powers: Omit<ReplayPowers, 'store'>,
): LiveLane => {
  const options = { epoch, powers: powers.powers, parking: powers.parking }
  const replica = createLaneReplica(base === undefined ? options : { ...options, base })
  const received = envelopes.map((envelope) => replica.receive(envelope))
  const isPartial = received.some(({ kind }) => kind === 'dropped')
  const sizeBytes = envelopes.reduce((sum, { bytes }) => sum + bytes.length, 0)
  return { replica, onDisk: new Set(envelopes.map(({ hash }) => hash)), sizeBytes, isPartial }
}

/** So few need no order: parking has room for them while they wait for each other. Ordering reads every change. */
const fewEnvelopes = 64

/** A replica of what is stored. */
export const replay = (
  based: BasedEpoch,
  envelopes: readonly Envelope[],
  powers: Omit<ReplayPowers, 'store'>,
): LiveLane => {
  if (envelopes.length <= fewEnvelopes) {
    const live = receiveAll(based, envelopes, powers)
    if (!live.isPartial) return live
    live.replica.close()
  }
  return receiveAll(based, orderByDependencies(envelopes), powers)
}

/** What a replica that was just made says is on disk. */
export const diskOf = ({ onDisk, sizeBytes }: LiveLane): { readonly tally: Tally; readonly sizeBytes: number } => ({
  tally: tallyOf(onDisk),
  sizeBytes,
})
