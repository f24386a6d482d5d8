import { type AuthorityPowers, compareFences, type Fence, type Signer } from '../authority/index.ts'
import { actorOf, changeLimits, type Envelope, sealEnvelope } from '../envelope/index.ts'
import { type ChangeFields, writeLaneChange } from './automerge-codec.ts'
import type { ChangeNode } from './causal-state.ts'
import { type Exclusion, exclude } from './exclusion.ts'
import type { Epoch } from './genesis.ts'
import type { LaneGraph } from './lane-graph.ts'
import { checkValue, type LaneValue } from './lane-schema.ts'

/** Who writes: a key, and one life of the process that holds it. */
export interface LaneWriter {
  readonly signer: Signer
  /** 32 hexadecimal digits: 128 random bits drawn at this start. Never used again after a crash or a restore. */
  readonly incarnation: string
}

export type AuthorResult =
  | { readonly ok: true; readonly envelopes: readonly Envelope[] }
  | {
      readonly ok: false
      readonly refusal: Exclusion | { readonly code: 'not-a-writer' | 'no-change'; readonly message: string }
    }

interface Desk {
  readonly epoch: Epoch
  readonly graph: LaneGraph
  readonly powers: AuthorityPowers
}

interface Edit {
  readonly key: string
  readonly value: LaneValue
  readonly fence: Fence | undefined
}

/** The edits that change something, checked, in the order they are written: by fence, then key. */
const prepare = (
  { epoch, graph, powers }: Desk,
  edits: ReadonlyMap<string, LaneValue>,
): readonly Edit[] | Exclusion => {
  const standing = graph.state().standing()
  const prepared: Edit[] = []
  for (const [key, value] of edits) {
    const checked = checkValue(epoch.lane.kind, key, value, powers.hash)
    if (!checked.ok) return exclude(checked.refusal.code, `${key}: ${checked.refusal.message}`)
    const now = standing.get(key) ?? []
    // Writing what stands already would only make work for every replica.
    if (now.length !== 1 || now[0]?.value !== value) prepared.push({ key, value, fence: checked.entry?.fence })
  }
  const zero = { generation: 0, n: 0 }
  return prepared.toSorted(
    (a, b) => compareFences(a.fence ?? zero, b.fence ?? zero) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
  )
}

/** Seals a change on these heads and takes it; or says why it would not count, with nothing taken. */
const write = (
  { epoch: { networkId, documentId, epoch }, graph, powers }: Desk,
  { signer, incarnation }: LaneWriter,
  heads: readonly ChangeNode[],
  puts: ChangeFields['puts'],
): Envelope | Exclusion => {
  const actor = actorOf({ documentId, epoch, author: signer.keyId, incarnation }, powers.hash)
  const seq = graph.state().lastSeq(actor) + 1
  const startOp = 1 + heads.reduce((highest, { change }) => Math.max(highest, change.header.maxOp), 0)
  const deps = heads.map(({ change }) => change.header.hash)
  const change = writeLaneChange({ actor, seq, startOp, deps, puts })
  const envelope = sealEnvelope({ networkId, documentId, epoch, incarnation, seq, change }, signer, powers)
  const status = graph.judge(envelope)
  if (status.kind === 'excluded') return status.exclusion
  graph.add(envelope)
  return envelope
}

/**
 * Joins heads, sixteen at a time, until one change may stand on all that are left; its own actor's last change is below
 * one of them. Many heads are what many writers, or one hostile writer, leave behind.
 */
const joinHeads = (desk: Desk, writer: LaneWriter): readonly Envelope[] | Exclusion => {
  const joined: Envelope[] = []
  const own = actorOf({ ...desk.epoch, author: writer.signer.keyId, incarnation: writer.incarnation }, desk.powers.hash)
  for (let heads = desk.graph.state().heads(); heads.length > changeLimits.dependencies; ) {
    // First the heads that stand on our own last change: without them the next would break our line.
    const last = desk.graph.state().lastSeq(own)
    const isAfterOwn = ({ clock }: ChangeNode) => last > 0 && clock.get(own) === last
    const ordered = [...heads.filter(isAfterOwn), ...heads.filter((head) => !isAfterOwn(head))]
    const result = write(desk, writer, ordered.slice(0, changeLimits.dependencies), [])
    if ('code' in result) return result
    joined.push(result)
    heads = desk.graph.state().heads()
  }
  return joined
}

/** @see LaneReplica.author */
export const authorChanges = (desk: Desk, edits: ReadonlyMap<string, LaneValue>, writer: LaneWriter): AuthorResult => {
  if (!desk.epoch.place.writers.has(writer.signer.keyId))
    return { ok: false, refusal: { code: 'not-a-writer', message: 'the key is no writer of this epoch' } }
  const prepared = prepare(desk, edits)
  if ('code' in prepared) return { ok: false, refusal: prepared }
  if (prepared.length === 0)
    return { ok: false, refusal: { code: 'no-change', message: 'the lane holds these values already' } }
  const joined = joinHeads(desk, writer)
  if ('code' in joined) return { ok: false, refusal: joined }
  const state = desk.graph.state()
  const standing = state.standing()
  const puts = prepared.map(({ key, value }) => ({
    key,
    value,
    replaces: (standing.get(key) ?? []).map(({ id }) => id),
  }))
  const result = write(desk, writer, state.heads(), puts)
  return 'code' in result ? { ok: false, refusal: result } : { ok: true, envelopes: [...joined, result] }
}
