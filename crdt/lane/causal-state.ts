import { compareFences, type Fence } from '../authority/index.ts'
import { highestFence } from '../effective/index.ts'
import { checkStartOp } from '../envelope/index.ts'
import type { LaneChange, Put } from './automerge-codec.ts'
import { type Exclusion, exclude } from './exclusion.ts'
import type { LaneBase } from './lane-base.ts'

/** A put with who replaced it. */
interface Standing {
  readonly put: Put
  readonly by: ChangeNode
  readonly replacedBy: ChangeNode[]
}

/** A valid change and what it knows. */
export interface ChangeNode {
  readonly envelopeHash: string
  readonly change: LaneChange
  /** Changes below each other at most, this one counted. */
  readonly depth: number
  /**
   * Of each actor the highest seq in the causal past, this change included. As an actor's changes are one line, that
   * names the whole past.
   */
  readonly clock: ReadonlyMap<string, number>
  /** The highest fence in the causal past, this change included. */
  readonly fence: Fence
}

/** How far one entry's count may be above what its author knew: else one entry could use up all counts there are. */
export const maxFenceStep = 1_000_000

/** What a guard judges: a change whose dependencies are all valid. */
export interface Judged {
  readonly change: LaneChange
  readonly deps: readonly ChangeNode[]
  readonly clock: ReadonlyMap<string, number>
  /** The highest fence in the causal past. */
  readonly fence: Fence
  readonly generation: number
  /** What an epoch after the first begins with. */
  readonly base: ChangeNode | undefined
  /** Ids of the puts under the key that stand in the causal past, sorted. */
  readonly standing: (key: string) => readonly string[]
}
export type LaneGuard = (judged: Judged) => Exclusion | undefined

/** In this order. Each alone stops its attack (hostile.test.ts takes it out). */
export const laneGuards = {
  base: ({ base, deps }) =>
    base !== undefined && deps.length === 0
      ? exclude('dependency', 'the change does not stand on what its epoch began with')
      : undefined,
  startOp: ({ change, deps }) => {
    const refusal = checkStartOp(
      change.header,
      deps.map((dep) => dep.change.header.maxOp),
    )
    return refusal && exclude(refusal.code, refusal.message)
  },
  line: ({ change: { header }, clock }) =>
    (clock.get(header.actor) ?? 0) === header.seq - 1
      ? undefined
      : exclude('broken-line', `the change is number ${header.seq} of its actor and does not stand on the one before`),
  predecessors: ({ change, standing }) => {
    const wrong = change.puts.find((put) => put.replaces.join() !== standing(put.key).join())
    return wrong && exclude('bad-predecessors', 'the change does not replace exactly what stood under a key before it')
  },
  fence: ({ change, fence, generation }) => {
    let highest = fence
    for (const { entry } of change.puts) {
      if (entry === undefined) continue
      if (entry.fence.generation !== generation)
        return exclude('bad-fence', `an entry has generation ${entry.fence.generation} in an epoch of ${generation}`)
      if (compareFences(entry.fence, highest) <= 0)
        return exclude('bad-fence', 'the fence of an entry does not exceed every fence in its past')
      const from = highest.generation === generation ? highest.n : 0
      if (entry.fence.n - from > maxFenceStep)
        return exclude('bad-fence', `the fence of an entry is more than ${maxFenceStep} above its past`)
      highest = entry.fence
    }
    return undefined
  },
} as const satisfies Readonly<Record<string, LaneGuard>>

export interface CausalOptions {
  /** The generation every fence of the epoch carries. */
  readonly generation: number
  /** The end of the epoch before. @default none: the first epoch */
  readonly base?: LaneBase
  /** The highest fence of the epoch before. @default that of the base */
  readonly floor?: Fence
  /** @default all; tests take one out to show what it stops */
  readonly guards?: readonly LaneGuard[]
}

const covers = (clock: ReadonlyMap<string, number>, { change: { header } }: ChangeNode): boolean =>
  (clock.get(header.actor) ?? 0) >= header.seq

const joinClocks = (deps: readonly ChangeNode[]): ReadonlyMap<string, number> => {
  const joined = new Map<string, number>()
  for (const { clock } of deps)
    for (const [actor, seq] of clock) joined.set(actor, Math.max(seq, joined.get(actor) ?? 0))
  return joined
}

/** The valid changes of one epoch and what they come to. Changes are appended after what they stand on. */
export const createCausalState = ({ generation, base, floor, guards = Object.values(laneGuards) }: CausalOptions) => {
  const nodes: ChangeNode[] = []
  const lines = new Map<string, number>()
  const heads = new Map<string, ChangeNode>()
  const puts = new Map<string, Map<string, Standing>>()
  const current = new Map<string, Map<string, Standing>>()
  const bottom = floor ?? base?.fence ?? { generation, n: 0 }
  let top = bottom
  let root: ChangeNode | undefined
  let told: ReadonlyMap<string, readonly Put[]> | undefined

  /** What of the key stands in a past. Where all that stands now is in it, nothing else can. */
  const standingIn = (key: string, clock: ReadonlyMap<string, number>): readonly string[] => {
    const now = [...(current.get(key)?.values() ?? [])]
    const found = now.every(({ by }) => covers(clock, by))
      ? now
      : [...(puts.get(key)?.values() ?? [])].filter(
          ({ by, replacedBy }) => covers(clock, by) && !replacedBy.some((node) => covers(clock, node)),
        )
    return found.map(({ put }) => put.id).toSorted()
  }

  const judgedOf = (change: LaneChange, deps: readonly ChangeNode[]): Judged => {
    const clock = joinClocks(deps)
    const fence = deps.reduce((highest, dep) => highestFence(highest, dep.fence), bottom)
    return { change, deps, clock, fence, generation, base: root, standing: (key) => standingIn(key, clock) }
  }

  const place = (node: ChangeNode, put: Put) => {
    const all = puts.get(put.key) ?? new Map<string, Standing>()
    const now = current.get(put.key) ?? new Map<string, Standing>()
    for (const id of put.replaces) {
      all.get(id)?.replacedBy.push(node)
      now.delete(id)
    }
    told = undefined
    const standing = { put, by: node, replacedBy: [] }
    puts.set(put.key, all.set(put.id, standing))
    current.set(put.key, now.set(put.id, standing))
  }

  // The base is no change of this epoch: it is under all of them, and nobody signed it here.
  if (base !== undefined) {
    const clock = new Map(base.nodes.map(({ header }) => [header.actor, header.seq]))
    for (const change of base.nodes) {
      const node: ChangeNode = { envelopeHash: base.id, change, depth: 0, clock, fence: bottom }
      if (change.header.hash === base.root) root = node
      for (const put of change.puts) place(node, put)
    }
    if (root !== undefined) heads.set(base.root, root)
  }

  return {
    judge: (change: LaneChange, deps: readonly ChangeNode[]): Exclusion | undefined => {
      const judged = judgedOf(change, deps)
      for (const guard of guards) {
        const exclusion = guard(judged)
        if (exclusion !== undefined) return exclusion
      }
      return undefined
    },
    append: (envelopeHash: string, change: LaneChange, deps: readonly ChangeNode[]): ChangeNode => {
      const { clock, fence: past } = judgedOf(change, deps)
      const { actor, seq, hash } = change.header
      const fences = change.puts.flatMap(({ entry }) => (entry === undefined ? [] : [entry.fence]))
      const fence = fences.reduce(highestFence, past)
      const depth = 1 + deps.reduce((deepest, dep) => Math.max(deepest, dep.depth), 0)
      const node = { envelopeHash, change, depth, clock: new Map(clock).set(actor, seq), fence }
      nodes.push(node)
      lines.set(actor, Math.max(seq, lines.get(actor) ?? 0))
      for (const dep of deps) heads.delete(dep.change.header.hash)
      heads.set(hash, node)
      for (const put of change.puts) place(node, put)
      top = highestFence(top, fence)
      return node
    },
    /** What the epoch began with, when it is not the first. */
    base: (): ChangeNode | undefined => root,
    /** In the order they were appended. */
    nodes: (): readonly ChangeNode[] => nodes,
    /** What no valid change stands on, by the hash of the envelope. */
    heads: (): readonly ChangeNode[] =>
      [...heads.values()].toSorted((a, b) => (a.envelopeHash < b.envelopeHash ? -1 : 1)),
    /** The number of the actor's last change, 0 when it has none. */
    lastSeq: (actor: string): number => lines.get(actor) ?? 0,
    fence: (): Fence => top,
    /** What stands under each key: one put, or several that do not know each other. Sorted by id. */
    standing: (): ReadonlyMap<string, readonly Put[]> => {
      told ??= new Map(
        [...current.keys()].toSorted().map((key) => {
          const found = [...(current.get(key)?.values() ?? [])].map(({ put }) => put)
          return [key, found.toSorted((a, b) => (a.id < b.id ? -1 : 1))]
        }),
      )
      return told
    },
  }
}

export type CausalState = ReturnType<typeof createCausalState>
