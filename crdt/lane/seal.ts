import type { AuthorityPowers } from '../authority/index.ts'
import type { Envelope } from '../envelope/index.ts'
import type { Epoch, EpochBase } from './genesis.ts'
import { createLaneBase } from './lane-base.ts'
import { createLaneReplica } from './lane-replica.ts'
import { createParking } from './parking.ts'
import { type LaneState, stateHash } from './state-hash.ts'
import { cutOf, unbounded } from './valid-set.ts'

/** What an epoch comes to at a cut, as far as its envelopes are here. */
export type SealedState =
  | {
      readonly ok: true
      readonly state: LaneState
      /** `stateHash` of it. */
      readonly hash: string
      /** Hashes of the envelopes inside, and of those outside: late, whoever wrote them. Sorted. */
      readonly inside: readonly string[]
      readonly late: readonly string[]
    }
  | {
      readonly ok: false
      /** `lacks-changes`: of the cut some is not here. `bad-cut`: it holds what does not count, or what a newer program reads. */
      readonly code: 'lacks-changes' | 'bad-cut' | 'newer-format'
      readonly message: string
      /** Hashes of what is known to be inside though some is missing, sorted. */
      readonly inside: readonly string[]
    }

/**
 * Judges the cut of an epoch by what is inside of it alone: a function of the genesis, its base and the envelopes under
 * the heads. What else is held makes no difference.
 * @param base needed in every epoch but the first
 */
export const stateAtCut = (
  { epoch, base }: { readonly epoch: Epoch; readonly base: LaneState | undefined },
  envelopes: readonly Envelope[],
  heads: readonly string[],
  powers: AuthorityPowers,
): SealedState => {
  const laneBase = base && createLaneBase(epoch.id, base, powers.hash)
  const { inside, late, wanted } = cutOf(epoch, envelopes, heads, { hash: powers.hash, base: laneBase })
  const hashes = inside.map((envelope) => envelope.hash).toSorted()
  const fail = (code: 'lacks-changes' | 'bad-cut' | 'newer-format', message: string): SealedState => ({
    ok: false,
    code,
    message,
    inside: hashes,
  })
  if (wanted.length > 0) return fail('lacks-changes', `${wanted.length} changes under the cut are not here`)
  const parking = createParking(unbounded)
  const replica = createLaneReplica({ epoch, powers, parking, ...(base === undefined ? {} : { base }) })
  for (const envelope of inside) replica.receive(envelope)
  const [first] = replica.graph.unused()
  if (first?.status.kind === 'excluded' && first.status.exclusion.code === 'newer-format')
    return fail('newer-format', first.status.exclusion.message)
  if (first !== undefined) return fail('bad-cut', `the cut holds ${first.envelope.hash}, which does not count`)
  const state = replica.laneState()
  return { ok: true, state, hash: stateHash(state, powers.hash), inside: hashes, late }
}

/** When the owner of a lane seals its epoch: DESIGN.md section 3, rule 7. */
export const sealLimits = { changes: 1_000, sizeBytes: 256 * 1024 } as const

/** What an open epoch holds: the number of its envelopes, and their bytes. */
export interface EpochLoad {
  readonly epoch: Epoch
  readonly count: number
  readonly sizeBytes: number
}

/**
 * Why an epoch is to be sealed now, if it is. `keys`: its writers, or their generation, are not those that should write.
 * @param wanted keys that should write the lane, and the generation of their owner
 */
export const whySeal = (
  { epoch, count, sizeBytes }: EpochLoad,
  wanted: { readonly generation: number; readonly writers: Iterable<string> },
  limits: { readonly changes: number; readonly sizeBytes: number } = sealLimits,
): 'keys' | 'changes' | 'bytes' | undefined => {
  const writers = new Set(wanted.writers)
  const now = epoch.place.writers
  if (wanted.generation > epoch.generation) return 'keys'
  if (writers.size !== now.size || [...now.keys()].some((key) => !writers.has(key))) return 'keys'
  if (count >= limits.changes) return 'changes'
  return sizeBytes >= limits.sizeBytes ? 'bytes' : undefined
}

/** Where an epoch stands among others of its document. */
export type EpochRank = Pick<Epoch, 'generation' | 'epoch' | 'id'>

/**
 * Whether one epoch goes before another of the same document: the higher generation, then the higher number, then the
 * lower id. Total, so whatever order seals arrive in, all replicas come to one.
 */
export const isAhead = (a: EpochRank, b: EpochRank): boolean => {
  if (a.generation !== b.generation) return a.generation > b.generation
  if (a.epoch !== b.epoch) return a.epoch > b.epoch
  return a.id < b.id
}

/** The cut and state a genesis names when it begins after this epoch, at what stands now. */
export const baseOf = (epoch: Epoch, heads: readonly string[], state: string): EpochBase => ({
  genesis: epoch.id,
  heads: heads.filter((head) => head !== epoch.id),
  state,
})
