import { nothingBlocked } from '../authority/index.ts'
import {
  baseOf,
  canonicalState,
  type Epoch,
  epochLimits,
  formatLaneName,
  type LaneState,
  openGenesis,
  sealGenesis,
  stateAtCut,
  stateHash,
} from '../lane/index.ts'
import { turnLane } from './begin-lane.ts'
import type { Seal, SealResult } from './documents.ts'
import { isBehind } from './held-lane.ts'
import { checkIn, checkOut, type Desk } from './lane-desk.ts'
import { type LiveLane, readBase } from './live-lane.ts'

type Code = Extract<SealResult, { ok: false }>['refusal']['code']
const refuse = (code: Code, message: string): SealResult => ({ ok: false, refusal: { code, message } })

interface Cut {
  readonly heads: readonly string[]
  readonly state: LaneState
}

/** The heads, at most as many as a genesis names, and what the lane is there. */
const cutOf = async (desk: Desk, { replica }: LiveLane): Promise<Cut | Extract<SealResult, { ok: false }>> => {
  const { epoch } = replica
  const found = replica.state()
  if (!found.ok) return refuse('quarantined', found.quarantine.message) as Extract<SealResult, { ok: false }>
  const heads = replica.summary().heads.filter((head) => head !== epoch.id)
  if (heads.length <= epochLimits.heads) return { heads, state: found.state }
  // So many are what a hostile writer leaves: the others are late.
  const some = heads.slice(0, epochLimits.heads)
  const sealed = stateAtCut({ epoch, base: await readBase(epoch, desk) }, replica.graph.valid(), some, desk.powers)
  if (sealed.ok) return { heads: some, state: sealed.state }
  return refuse(sealed.code, sealed.message) as Extract<SealResult, { ok: false }>
}

const sameWriters = (epoch: Epoch, next: Epoch): boolean =>
  epoch.generation === next.generation &&
  epoch.place.writers.size === next.place.writers.size &&
  [...epoch.place.writers.keys()].every((key) => next.place.writers.has(key))

/** @see Documents.seal */
export const sealLane = (desk: Desk, networkId: string, documentId: string, seal: Seal): Promise<SealResult> => {
  const { owner, signer, writers, isForced = false } = seal
  const { lane } = desk.shelf.demand(documentId).epoch
  const name = formatLaneName(lane)
  return desk.turns.run([`lane ${name}`, documentId], async () => {
    const live = await checkOut(desk, documentId)
    const held = desk.shelf.demand(documentId)
    const cut = await cutOf(desk, live)
    checkIn(desk, live)
    if ('ok' in cut) return cut
    if (isBehind(held) || held.loss !== undefined)
      return refuse('behind', `of ${name} the disk lost changes: it is sealed when a peer brought them back`)
    const sizeBytes = Buffer.byteLength(canonicalState(cut.state))
    if (sizeBytes > epochLimits.stateBytes)
      return refuse('too-large', `${name} is ${sizeBytes} bytes, more than the ${epochLimits.stateBytes} of a base`)
    const base = baseOf(held.epoch, cut.heads, stateHash(cut.state, desk.powers.hash))
    const after = { epoch: held.epoch.epoch, base }
    const fields = { networkId, documentId, lane, owner, after, ...(writers === undefined ? {} : { writers }) }
    const { bytes } = sealGenesis(fields, [signer], desk.powers)
    const opened = openGenesis(bytes, { networkId, owner, blocked: nothingBlocked, previous: held.epoch }, desk.powers)
    if (!opened.ok) return refuse('not-entitled', `cannot seal ${name}: ${opened.refusal.message}`)
    if (held.tally.count === 0 && sameWriters(held.epoch, opened.epoch) && !isForced)
      return refuse('no-change', `nothing was written in epoch ${held.epoch.epoch} of ${name}, and its writers stay`)
    const lateBefore = held.tail.late.length
    const refusal = await turnLane(desk, { epoch: opened.epoch, genesis: bytes, text: undefined }, undefined)
    if (refusal !== undefined) return refuse(refusal.code as Code, refusal.message)
    return { ok: true, epoch: opened.epoch, late: desk.shelf.demand(documentId).tail.late.length - lateBefore }
  })
}
