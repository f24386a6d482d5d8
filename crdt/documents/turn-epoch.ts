import { type Envelope, openEnvelope } from '../envelope/index.ts'
import { canonicalState, type Epoch, formatLaneName, type LaneState } from '../lane/index.ts'
import type { StoreChange } from '../store/index.ts'
import { baseKey, envelopeKey, genesisKey, lateKey, summaryKey } from './document-keys.ts'
import { describeLane, type HeldLane, type LaneTail, noTail, type ProofName } from './held-lane.ts'
import { type BegunEpoch, judgeSeal, type TurnRefusal } from './judge-seal.ts'
import type { Desk } from './lane-desk.ts'
import { type LateReason, putLate, readLate, type StoredLate } from './late-changes.ts'
import { diskOf, type LiveLane, replay } from './live-lane.ts'
import { addProofs } from './proofs.ts'
import { encodeSummary } from './saved-summary.ts'
import { type StoredEpoch, storedEpochs } from './stored-epochs.ts'

/** A lane in its next epoch, not on disk yet. */
export interface Turn {
  readonly lane: HeldLane
  readonly live: LiveLane
  readonly changes: readonly StoreChange[]
  /** Changes that became late by it. */
  readonly late: readonly Envelope[]
}

/** A later epoch as it came: its record, and its base when that came with it. */
export interface NextEpoch {
  readonly epoch: Epoch
  readonly genesis: Uint8Array
  readonly text: Uint8Array | undefined
}

/** What did not count when its epoch ended leaves as such, the rest for the reason given. */
const leave = (
  desk: Desk,
  epoch: Epoch,
  base: LaneState | undefined,
  envelopes: readonly Envelope[],
  reason: LateReason,
): readonly StoredLate[] => {
  if (envelopes.length === 0 || (epoch.base !== null && base === undefined))
    return envelopes.map((envelope) => ({ envelope, reason }))
  const { replica } = replay({ epoch, base }, envelopes, desk)
  const unused = replica.graph.unused()
  replica.close()
  const excluded = new Set(unused.flatMap(({ envelope, status }) => (status.kind === 'excluded' ? envelope.hash : [])))
  return envelopes.map((envelope) => ({ envelope, reason: excluded.has(envelope.hash) ? 'excluded' : reason }))
}

/** What of an epoch the new one leaves outside. */
const leftOf = async (
  desk: Desk,
  { epoch, envelopes, base }: StoredEpoch,
  next: Epoch,
  { anchor, sealed }: BegunEpoch,
): Promise<readonly StoredLate[]> => {
  if (anchor?.epoch.id === epoch.id && sealed?.ok) {
    if (sealed.late.length === 0) return []
    const outside = new Set(sealed.late)
    const left = leave(desk, epoch, await base(), anchor.envelopes, 'cut')
    return left.filter(({ envelope }) => outside.has(envelope.hash))
  }
  // A chain that lost; or an epoch this node did not have whole when it took a later one with its base.
  const known = new Set(epoch.id === next.base?.genesis ? sealed?.inside : [])
  const left = leave(desk, epoch, await base(), await envelopes(), epoch.epoch >= next.epoch ? 'rival' : 'unsure')
  return left.filter(({ envelope }) => !known.has(envelope.hash))
}

/** Of envelopes kept under the number of the new epoch those that count in it, with its base. */
const beginLive = (desk: Desk, epoch: Epoch, base: LaneState | undefined, envelopes: readonly Envelope[]): LiveLane => {
  const own = envelopes.filter(({ bytes }) => openEnvelope(bytes, epoch.place, desk.powers).ok)
  const all = replay({ epoch, base }, own, desk)
  const valid = all.replica.graph.valid()
  if (valid.length === all.onDisk.size) return all
  all.replica.close()
  return replay({ epoch, base }, valid, desk)
}

const joinProofs = (before: readonly ProofName[], more: readonly ProofName[]): readonly ProofName[] => [
  ...before,
  ...more.filter((one) => !before.some(({ epoch, author }) => epoch === one.epoch && author === one.author)),
]

/** How the new epoch changes what is late. */
const foldLate = (
  before: readonly StoredLate[],
  left: readonly StoredLate[],
  begun: BegunEpoch,
  stays: ReadonlySet<string>,
) => {
  const late = new Map(before.map((one) => [one.envelope.hash, one]))
  const changes: StoreChange[] = []
  // What a seal that lost had left outside, and this one takes in, is late no more.
  for (const hash of begun.sealed?.ok ? begun.sealed.inside : []) {
    const envelope = late.get(hash)?.envelope
    if (envelope === undefined) continue
    late.delete(hash)
    const { documentId, epoch, bytes } = envelope
    changes.push({ kind: 'delete', key: lateKey(documentId, epoch, hash) })
    changes.push({ kind: 'put', key: envelopeKey(documentId, epoch, hash), value: bytes })
  }
  const fresh: Envelope[] = []
  for (const one of left) {
    const { documentId, epoch, hash } = one.envelope
    if (stays.has(hash)) continue
    changes.push({ kind: 'delete', key: envelopeKey(documentId, epoch, hash) })
    if (late.has(hash)) continue
    late.set(hash, one)
    fresh.push(one.envelope)
    changes.push(putLate(one.envelope, one.reason))
  }
  const names = [...late.values()].map(({ envelope: { epoch, hash } }) => ({ epoch, hash }))
  return { names, fresh, changes }
}

const dropEpoch = async (
  { epoch, envelopes }: StoredEpoch,
  stays: ReadonlySet<string>,
): Promise<readonly StoreChange[]> => {
  const { documentId, epoch: number } = epoch
  const hashes = (await envelopes()).flatMap(({ hash }) => (stays.has(hash) ? [] : hash))
  const keys = [
    ...hashes.map((hash) => envelopeKey(documentId, number, hash)),
    genesisKey(documentId, number),
    baseKey(documentId, number),
  ]
  return keys.map((key) => ({ kind: 'delete', key }))
}

/**
 * Leads a lane that is held into another epoch: one that seals it, one that won against it (a first one too, where the lane
 * was begun twice), or a much later one. Reads and
 * decides; the caller writes `changes` in one synced batch.
 */
export const turnEpoch = async (desk: Desk, held: HeldLane, next: NextEpoch): Promise<Turn | TurnRefusal> => {
  const { epoch } = next
  const { documentId } = epoch
  if (!desk.guards.isAhead(epoch, held.epoch))
    return {
      code: 'superseded',
      message: `epoch ${held.epoch.epoch} of ${formatLaneName(epoch.lane)} goes before this seal`,
    }
  const stored = await storedEpochs(desk, held)
  const lateBefore = await readLate(desk, documentId)
  const begun = await judgeSeal(desk, epoch, stored, lateBefore, next.text)
  if ('code' in begun) return begun
  const { anchor, state } = begun

  // Up to the epoch it was held against the chain stands; all else that is held is left behind.
  const chain = stored.filter((one) => anchor !== undefined && one.epoch.epoch <= anchor.epoch.epoch)
  const kept = chain.slice(Math.max(0, chain.length - desk.keepEpochs))
  const leaving = stored.filter((one) => !chain.includes(one) || one.epoch.id === anchor?.epoch.id)
  const left = (await Promise.all(leaving.map((one) => leftOf(desk, one, epoch, begun)))).flat()
  const ofNumber = await stored.find((one) => one.epoch.epoch === epoch.epoch)?.envelopes()
  const live = beginLive(desk, epoch, state, ofNumber ?? [])

  const late = foldLate(lateBefore, left, begun, live.onDisk)
  const dropped = stored.filter((one) => !kept.includes(one))
  const drops = await Promise.all(dropped.map((one) => dropEpoch(one, live.onDisk)))
  const found = await Promise.all(
    leaving.map(async (one) => {
      const isAnchor = one.epoch.id === anchor?.epoch.id
      return addProofs(held.tail.proofs, one.epoch, isAnchor ? (anchor?.envelopes ?? []) : await one.envelopes())
    }),
  )
  const proofs = found.reduce((all, one) => joinProofs(all, one.proofs), held.tail.proofs)
  const past = kept.map((one) => ({ epoch: one.epoch.epoch, id: one.epoch.id }))
  const tail: LaneTail =
    past.length + late.names.length + proofs.length === 0 ? noTail : { past, late: late.names, proofs }
  const lane = describeLane(live.replica, { ...diskOf(live), loss: undefined, tail })
  return {
    lane,
    live,
    late: late.fresh,
    changes: [
      ...drops.flat(),
      ...late.changes,
      ...found.flatMap((one) => one.changes),
      { kind: 'put', key: genesisKey(documentId, epoch.epoch), value: next.genesis },
      ...(state === undefined
        ? []
        : ([
            {
              kind: 'put',
              key: baseKey(documentId, epoch.epoch),
              value: new TextEncoder().encode(canonicalState(state)),
            },
          ] as const)),
      { kind: 'put', key: summaryKey(documentId), value: encodeSummary(lane) },
    ],
  }
}
