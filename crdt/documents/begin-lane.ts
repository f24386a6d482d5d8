import { type Random, randomHex } from '../../base/index.ts'
import { nothingBlocked, type Owner, type Signer } from '../authority/index.ts'
import { type Epoch, formatLaneName, type LaneName, openGenesis, sealGenesis } from '../lane/index.ts'
import { genesisKey, summaryKey } from './document-keys.ts'
import type { TakenGenesis } from './documents.ts'
import { describeLane } from './held-lane.ts'
import { checkIn, type Desk } from './lane-desk.ts'
import { readEnvelopes, replay, tallyOnDisk } from './live-lane.ts'
import { encodeSummary } from './saved-summary.ts'

const turnOf = (lane: LaneName): string => `lane ${formatLaneName(lane)}`

/** Puts the first epoch of a lane; envelopes that are there, their genesis having been lost, are judged and taken. */
const keep = async (desk: Desk, opened: Epoch, genesis: Uint8Array, from: string | undefined) => {
  const { documentId } = opened
  const writers = [...opened.place.writers.values()].map((key) => Buffer.from(key).toString('hex')).toSorted()
  const epoch = desk.makeEpoch({ ...opened, lane: formatLaneName(opened.lane), writers })
  const { envelopes, damaged } = await readEnvelopes(epoch, desk, false)
  const live = replay(epoch, envelopes, desk)
  const lane = describeLane(live.replica, tallyOnDisk(live), undefined)
  await desk.store.write(
    [
      ...damaged.map((key) => ({ kind: 'delete', key }) as const),
      { kind: 'put', key: genesisKey(documentId, epoch.epoch), value: genesis },
      { kind: 'put', key: summaryKey(documentId), value: encodeSummary(lane) },
    ],
    { sync: true },
  )
  desk.shelf.set(lane)
  checkIn(desk, live)
  desk.shelf.tell({ documentId, envelopes: [], from })
}

/** @see Documents.create */
export const createLane = (
  desk: Desk,
  networkId: string,
  { lane, owner, signer }: { readonly lane: LaneName; readonly owner: Owner; readonly signer: Signer },
  random: Random,
): Promise<string> =>
  desk.turns.run([turnOf(lane)], async () => {
    const held = desk.shelf.idOf(lane)
    if (held !== undefined) return held
    const documentId = randomHex(random, 16)
    const { bytes } = sealGenesis({ networkId, documentId, lane, owner }, [signer], desk.powers)
    const opened = openGenesis(bytes, { networkId, owner, blocked: nothingBlocked }, desk.powers)
    if (!opened.ok) throw new RangeError(`cannot begin ${formatLaneName(lane)}: ${opened.refusal.message}`)
    await keep(desk, opened.epoch, bytes, undefined)
    return documentId
  })

const refuse = (code: 'rival' | 'newer-format', message: string): TakenGenesis => ({
  ok: false,
  refusal: { code, message },
})

/** @see Documents.takeGenesis */
export const takeGenesis = async (
  desk: Desk,
  networkId: string,
  { bytes, owner, from }: { readonly bytes: Uint8Array; readonly owner: Owner; readonly from: string },
): Promise<TakenGenesis> => {
  const opened = openGenesis(bytes.slice(), { networkId, owner, blocked: nothingBlocked }, desk.powers)
  if (!opened.ok) return opened
  const { epoch, record } = opened
  return desk.turns.run([turnOf(epoch.lane), epoch.documentId], async () => {
    const held = desk.shelf.get(epoch.documentId)
    if (held?.epoch.id === epoch.id) {
      // The same one, perhaps with other signatures: it stands in for one that the disk lost.
      const key = genesisKey(epoch.documentId, epoch.epoch)
      const stored = await desk.readWhole(key)
      if (stored === undefined) await desk.store.write([{ kind: 'put', key, value: record.bytes }], { sync: true })
      return opened
    }
    if (held !== undefined) return refuse('rival', `the document ${epoch.documentId} has another genesis here`)
    const other = desk.shelf.idOf(epoch.lane)
    if (other !== undefined)
      return refuse('rival', `the lane ${formatLaneName(epoch.lane)} is the document ${other} here`)
    if (epoch.epoch !== 1)
      return refuse('newer-format', `the genesis begins epoch ${epoch.epoch}: update this node to take it`)
    await keep(desk, epoch, record.bytes, from)
    return opened
  })
}
