import type { Fence, Hash } from '../authority/index.ts'
import type { Envelope } from '../envelope/index.ts'
import { readLaneChange } from './automerge-codec.ts'
import type { LaneGuard } from './causal-state.ts'
import type { Exclusion } from './exclusion.ts'
import type { Epoch } from './genesis.ts'
import { createLaneBase, type LaneBase } from './lane-base.ts'
import { createLaneGraph, type Equivocation } from './lane-graph.ts'
import { createParking } from './parking.ts'
import type { LaneState } from './state-hash.ts'

/** What a set of envelopes comes to in one epoch. All lists are sorted: equal sets give equal values. */
export interface ValidSet {
  /** Each after what it stands on. */
  readonly valid: readonly Envelope[]
  /** Outside the cut, whoever wrote them: to be listed, re-proposed or adopted. Hashes. Empty while the epoch is open. */
  readonly late: readonly string[]
  /** Hashes of what writers signed and does not count. */
  readonly excluded: readonly { readonly envelope: string; readonly exclusion: Exclusion }[]
  /** Hashes of what waits, with the changes it waits for. */
  readonly parked: readonly { readonly envelope: string; readonly missing: readonly string[] }[]
  /** Hashes of the envelopes no other valid one stands on. */
  readonly heads: readonly string[]
  /** Heads of the cut, or changes below them, that are not here yet. Empty while the epoch is open. */
  readonly wanted: readonly string[]
  readonly fence: Fence
  readonly equivocations: readonly Equivocation[]
}

export interface ValidSetOptions {
  /** Heads the next genesis or a closing record names, when there is one: the epoch is sealed. */
  readonly cut?: readonly string[]
  /** What the epoch before came to. @default none: the first epoch */
  readonly base?: LaneState
  /** The highest fence of the epoch before. @default that of the base */
  readonly floor?: Fence
  /** @default all */
  readonly guards?: readonly LaneGuard[]
}

/** What of the envelopes held is inside a cut. */
export interface Cut {
  readonly inside: readonly Envelope[]
  readonly late: readonly string[]
  readonly wanted: readonly string[]
}

const ascending = (items: Iterable<string>): readonly string[] => [...new Set(items)].toSorted()

/** The heads and all they stand on, of what is here. */
export const cutOf = (
  epoch: Epoch,
  envelopes: readonly Envelope[],
  heads: readonly string[],
  { hash, base }: { readonly hash: Hash; readonly base: LaneBase | undefined },
): Cut => {
  const byHash = new Map(envelopes.map((envelope) => [envelope.hash, envelope]))
  const depsOf = new Map<string, readonly string[]>()
  const byChange = new Map<string, Envelope>()
  for (const envelope of envelopes.toSorted((a, b) => (a.hash < b.hash ? -1 : 1))) {
    const result = readLaneChange(envelope, epoch.lane.kind, hash)
    if (!result.ok) continue
    const { deps, hash: change } = result.change.header
    depsOf.set(envelope.hash, deps)
    if (!byChange.has(change)) byChange.set(change, envelope)
  }
  const inside = new Set<Envelope>()
  const wanted = new Set<string>(heads.filter((head) => !byHash.has(head)))
  const open = heads.flatMap((head) => byHash.get(head) ?? [])
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (inside.has(at)) continue
    inside.add(at)
    for (const dep of depsOf.get(at.hash) ?? []) {
      if (dep === base?.root) continue
      const found = byChange.get(dep)
      if (found === undefined) wanted.add(dep)
      else open.push(found)
    }
  }
  const late = envelopes.filter((envelope) => !inside.has(envelope)).map((envelope) => envelope.hash)
  return { inside: [...inside], late: ascending(late), wanted: ascending(wanted) }
}

export const unbounded = { authorCount: Infinity, authorBytes: Infinity, totalBytes: Infinity }

/**
 * Which changes of an epoch count (DESIGN.md section 3, rule 1): a function of the genesis, the cut if there is one, and
 * the set of envelopes; never of their order, a clock or another document. Envelopes of others than the writers, or of
 * another place, are passed over. What the cut holds is judged without what is outside of it: a seal stays as it is.
 *
 * @param envelopes opened envelopes, in any order, each any number of times
 */
export const validSet = (
  epoch: Epoch,
  envelopes: Iterable<Envelope>,
  hash: Hash,
  { cut, base: state, floor, guards }: ValidSetOptions = {},
): ValidSet => {
  const base = state && createLaneBase(epoch.id, state, hash)
  const { networkId, documentId, writers } = epoch.place
  const own = [...new Map([...envelopes].map((envelope) => [envelope.hash, envelope])).values()].filter(
    (one) =>
      one.networkId === networkId &&
      one.documentId === documentId &&
      one.epoch === epoch.epoch &&
      writers.has(one.author),
  )
  const graphOf = (members: readonly Envelope[]) => {
    const graph = createLaneGraph({
      kind: epoch.lane.kind,
      hash,
      generation: epoch.generation,
      parking: createParking(unbounded),
      ...(base === undefined ? {} : { base }),
      ...(floor === undefined ? {} : { floor }),
      ...(guards === undefined ? {} : { guards }),
    })
    for (const envelope of members) graph.add(envelope)
    return graph
  }
  const sealed = cut === undefined ? { inside: own, late: [], wanted: [] } : cutOf(epoch, own, cut, { hash, base })
  const graph = graphOf(sealed.inside)
  const unused = graph.unused()
  return {
    valid: graph.valid(),
    late: sealed.late,
    wanted: sealed.wanted,
    excluded: unused.flatMap(({ envelope, status }) =>
      status.kind === 'excluded' ? [{ envelope: envelope.hash, exclusion: status.exclusion }] : [],
    ),
    parked: unused.flatMap(({ envelope, status }) =>
      status.kind === 'parked' ? [{ envelope: envelope.hash, missing: status.missing }] : [],
    ),
    heads: graph
      .state()
      .heads()
      .map((node) => node.envelopeHash),
    fence: graph.state().fence(),
    equivocations: (cut === undefined ? graph : graphOf(own)).equivocations(),
  }
}
