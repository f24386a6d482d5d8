import { type KeyId, nothingBlocked, type Owner, type Signer } from '../authority/index.ts'
import {
  canonicalState,
  documentIdOf,
  type Epoch,
  formatLaneName,
  type LaneName,
  openGenesis,
  sealGenesis,
} from '../lane/index.ts'
import { baseKey, genesisKey, summaryKey } from './document-keys.ts'
import type { TakenGenesis } from './documents.ts'
import { describeLane, noTail } from './held-lane.ts'
import { checkIn, type Desk } from './lane-desk.ts'
import { diskOf, readBaseText, readEnvelopes, replay } from './live-lane.ts'
import { encodeSummary } from './saved-summary.ts'
import { type NextEpoch, turnEpoch } from './turn-epoch.ts'

const turnOf = (lane: LaneName): string => `lane ${formatLaneName(lane)}`

type Refusal = Extract<TakenGenesis, { ok: false }>['refusal']

const refuse = (code: 'rival' | 'needs-base' | 'wrong-state', message: string): Refusal => ({ code, message })

/** An epoch that shares with those of other lanes what they have in common. */
const shared = ({ makeEpoch }: Desk, epoch: Epoch): Epoch => {
  const writers = [...epoch.place.writers.values()].map((key) => Buffer.from(key).toString('hex')).toSorted()
  return makeEpoch({ ...epoch, lane: formatLaneName(epoch.lane), writers })
}

/**
 * Puts the first epoch of a lane, or a later one with its base; envelopes that are there, their genesis having been lost,
 * are judged and taken.
 */
const keep = async (
  desk: Desk,
  { epoch: opened, genesis, text }: NextEpoch,
  from: string | undefined,
): Promise<Refusal | undefined> => {
  const { documentId } = opened
  const epoch = shared(desk, opened)
  const base = text && epoch.base !== null ? readBaseText(epoch, text, desk.powers, desk.guards) : undefined
  if (base === undefined && epoch.base !== null)
    return text === undefined
      ? refuse('needs-base', `epoch ${epoch.epoch} of ${formatLaneName(epoch.lane)} needs what it begins with`)
      : refuse('wrong-state', `what came as the base of ${formatLaneName(epoch.lane)} is not what its genesis names`)
  const { envelopes, damaged } = await readEnvelopes(epoch, desk, false)
  const live = replay({ epoch, base }, envelopes, desk)
  const lane = describeLane(live.replica, { ...diskOf(live), loss: undefined, tail: noTail })
  await desk.store.write(
    [
      ...damaged.map((key) => ({ kind: 'delete', key }) as const),
      { kind: 'put', key: genesisKey(documentId, epoch.epoch), value: genesis },
      ...(base === undefined
        ? []
        : ([
            {
              kind: 'put',
              key: baseKey(documentId, epoch.epoch),
              value: new TextEncoder().encode(canonicalState(base)),
            },
          ] as const)),
      { kind: 'put', key: summaryKey(documentId), value: encodeSummary(lane) },
    ],
    { sync: true },
  )
  desk.shelf.set(lane)
  checkIn(desk, live)
  const first = base === undefined ? genesis : undefined
  desk.shelf.tell({ documentId, isNew: true, genesis: first, isSeal: false, envelopes: [], late: [], from })
  return undefined
}

/** @see Documents.create */
export const createLane = (
  desk: Desk,
  networkId: string,
  { lane, owner, signer }: { readonly lane: LaneName; readonly owner: Owner; readonly signer: Signer },
): Promise<string> =>
  desk.turns.run([turnOf(lane)], async () => {
    const held = desk.shelf.idOf(lane)
    if (held !== undefined) return held
    const documentId = documentIdOf({ networkId, lane, owner: owner.id }, desk.powers.hash)
    const { bytes } = sealGenesis({ networkId, documentId, lane, owner }, [signer], desk.powers)
    const opened = openGenesis(bytes, { networkId, owner, blocked: nothingBlocked }, desk.powers)
    if (!opened.ok) throw new RangeError(`cannot begin ${formatLaneName(lane)}: ${opened.refusal.message}`)
    await keep(desk, { epoch: opened.epoch, genesis: bytes, text: undefined }, undefined)
    return documentId
  })

/**
 * Leads a held lane into another epoch, in its turn: on disk when it resolves, and told.
 * @param from undefined when it was sealed here
 */
export const turnLane = async (desk: Desk, next: NextEpoch, from: string | undefined): Promise<Refusal | undefined> => {
  const { documentId } = next.epoch
  const held = desk.shelf.demand(documentId)
  const epoch = shared(desk, next.epoch)
  const turn = await turnEpoch(desk, held, { ...next, epoch })
  if ('code' in turn) return turn
  try {
    await desk.store.write(turn.changes, { sync: true })
  } catch (error) {
    turn.live.replica.close()
    throw error
  }
  // Under the number of an epoch that lost, this node may have signed: its actors there are not used again.
  if (epoch.epoch <= held.epoch.epoch) desk.beginIncarnation()
  desk.cache.take(documentId)?.replica.close()
  desk.shelf.set(turn.lane)
  checkIn(desk, turn.live)
  desk.shelf.tell({ documentId, isNew: true, isSeal: from === undefined, envelopes: [], late: turn.late, from })
  return undefined
}

/** A genesis from a peer, and whose keys it is held against. */
export interface BroughtGenesis {
  readonly bytes: Uint8Array
  readonly owner: Owner
  readonly from: string
  readonly base: Uint8Array | undefined
  readonly sealers: ReadonlyMap<KeyId, Uint8Array> | undefined
}

/** What a genesis may not be besides what is held: another document of the lane, or another lane. */
const rivalOf = ({ shelf }: Desk, { documentId, lane }: Epoch): Refusal | undefined => {
  const held = shelf.get(documentId)
  const other = shelf.idOf(lane)
  if (other !== undefined && other !== documentId)
    return refuse('rival', `the lane ${formatLaneName(lane)} is the document ${other} here`)
  return held !== undefined && formatLaneName(held.epoch.lane) !== formatLaneName(lane)
    ? refuse('rival', `the document ${documentId} is another lane here`)
    : undefined
}

/** @see Documents.takeGenesis */
export const takeGenesis = async (
  desk: Desk,
  networkId: string,
  { bytes, owner, from, base, sealers }: BroughtGenesis,
): Promise<TakenGenesis> => {
  const context = { networkId, owner, blocked: nothingBlocked, ...(sealers === undefined ? {} : { sealers }) }
  const opened = openGenesis(bytes.slice(), context, desk.powers)
  if (!opened.ok) return opened
  const { epoch, record } = opened
  const next = { epoch, genesis: record.bytes, text: base }
  return desk.turns.run([turnOf(epoch.lane), epoch.documentId], async () => {
    const held = desk.shelf.get(epoch.documentId)
    if (held?.epoch.id === epoch.id) {
      // The same one, perhaps with other signatures: it stands in for one that the disk lost.
      const key = genesisKey(epoch.documentId, epoch.epoch)
      const stored = await desk.readWhole(key)
      if (stored === undefined) await desk.store.write([{ kind: 'put', key, value: record.bytes }], { sync: true })
      return opened
    }
    const refusal = rivalOf(desk, epoch) ?? (await (held === undefined ? keep : turnLane)(desk, next, from))
    return refusal === undefined ? opened : { ok: false, refusal }
  })
}
