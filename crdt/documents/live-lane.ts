import type { AuthorityPowers } from '../authority/index.ts'
import { type Envelope, openEnvelope } from '../envelope/index.ts'
import { createLaneReplica, type Epoch, type LaneReplica, type Parking } from '../lane/index.ts'
import type { Store } from '../store/index.ts'
import { envelopePrefix, readDocumentKey } from './document-keys.ts'
import { orderByDependencies } from './order-envelopes.ts'
import { type Tally, tallyOf } from './tally.ts'

/** A replica with what is on disk of its lane. */
export interface LiveLane {
  readonly replica: LaneReplica
  /** Hashes of envelopes. */
  readonly onDisk: Set<string>
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

const receiveAll = (epoch: Epoch, envelopes: readonly Envelope[], powers: Omit<ReplayPowers, 'store'>): LiveLane => {
  const replica = createLaneReplica({ epoch, powers: powers.powers, parking: powers.parking })
  const received = envelopes.map((envelope) => replica.receive(envelope))
  const isPartial = received.some(({ kind }) => kind === 'dropped')
  return { replica, onDisk: new Set(envelopes.map(({ hash }) => hash)), isPartial }
}

/** So few need no order: parking has room for them while they wait for each other. Ordering reads every change. */
const fewEnvelopes = 64

/** A replica of what is stored. */
export const replay = (epoch: Epoch, envelopes: readonly Envelope[], powers: Omit<ReplayPowers, 'store'>): LiveLane => {
  if (envelopes.length <= fewEnvelopes) {
    const live = receiveAll(epoch, envelopes, powers)
    if (!live.isPartial) return live
    live.replica.close()
  }
  return receiveAll(epoch, orderByDependencies(envelopes), powers)
}

export const tallyOnDisk = ({ onDisk }: LiveLane): Tally => tallyOf(onDisk)
