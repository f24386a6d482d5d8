import { canonicalJson, errorText } from '../../../base/index.ts'
import {
  type Candidate,
  type Conflict,
  choose,
  type DeploymentVersion,
  defaultLanePolicy,
  type Effective,
  type LanePolicy,
  type ReadEntry,
  replacingEntry,
} from '../../../crdt/index.ts'
import { matchesLabels, parseLabelExpression } from '../../../topologies/index.ts'
import { byName } from './placement.ts'
import type { Hash } from './revision.ts'

/** A scope directly below the one that plans. */
export interface Child {
  /** Like `/de/bavaria`. */
  readonly scope: string
  readonly kind: 'zone' | 'site'
  /** Of a site, those under `system/` included. Not looked at for a zone. */
  readonly labels: Readonly<Record<string, string>>
}

/** One entry to write into the intent lane of a child. It is `retired` exactly when it has no version. */
export interface ChildWrite {
  readonly child: string
  /** Id of the application. */
  readonly application: string
  readonly version: string | null
  readonly decision: string
  readonly step: number
  /** Decisions of that lane that it replaces. */
  readonly seen: readonly string[]
}

/** Why children were not told all there is to tell of an application. What they were told before stays. */
export interface ChildWaiting {
  readonly application: string
  readonly reason: 'absent' | 'conflict' | 'version-not-here' | 'wrong-version' | 'placement-unreadable' | 'behind'
  readonly text: string
  /** Decisions that children were told and that are not here; of `behind` alone. */
  readonly decisions?: readonly string[]
}

export interface ChildPlan {
  /** By child, then application. */
  readonly writes: readonly ChildWrite[]
  readonly waiting: readonly ChildWaiting[]
}

/** What decides which children are told. Proofs leave one out to see what it stops. */
export const childGuards = ['placed', 'sight'] as const
export type ChildGuard = (typeof childGuards)[number]

export interface ChildrenQuestion {
  /** What the lanes of this scope come to. */
  readonly effective: ReadonlyMap<string, Effective>
  /**
   * A signed version by the id of its record; undefined until it is believed and all it names is held here, so that no
   * child is told of what it could not fetch (DESIGN.md section 3, rule 13).
   */
  readonly versions: (id: string) => DeploymentVersion | undefined
  readonly children: readonly Child[]
  /** Per child what stands in its intent lane: `entries` of the lane's view. */
  readonly told: ReadonlyMap<string, ReadonlyMap<string, readonly ReadEntry[]>>
  /**
   * Per child the applications it was told to run by changes that its lane was sealed without: it may run them still.
   * @default none
   */
  readonly toldLate?: ReadonlyMap<string, ReadonlySet<string>>
  /** The labels of a site that the placement of a version sees. @default all it has */
  readonly seen?: (child: Child, version: DeploymentVersion) => Child['labels']
  /**
   * Decisions that this scope's own lanes name, where others write them too: what children were told and is not among
   * them is waited for. @default none: whatever children were told was told from here
   */
  readonly known?: ReadonlySet<string> | undefined
  readonly hash: Hash
  /** @default local before intent; conflicts are settled by the zone */
  readonly policy?: LanePolicy
  /** @default all; a proof takes one out */
  readonly guards?: ReadonlySet<ChildGuard> | undefined
}

type Ask = Pick<ReadEntry, 'decision' | 'version' | 'step'>

const isSameAsk = (a: Ask, b: Ask) => a.decision === b.decision && a.version === b.version && a.step === b.step
const nothing: readonly ReadEntry[] = []

/** The decision of a withdrawal is the scope's own: nobody above decided that this site is out. */
const withdrawal = (child: string, { decision, version }: Ask, hash: Hash): string =>
  hash(`skerry/withdrawal/1\n${canonicalJson({ child, decision, version })}`).slice(0, 32)

interface Told {
  readonly scope: string
  readonly entry: ReadEntry
}

/** Whether a child was told a decision, or was withdrawn from it. */
const isTold =
  (candidate: ReadEntry, hash: Hash) =>
  ({ scope, entry }: Told): boolean =>
    (entry.decision === candidate.decision && entry.version === candidate.version) ||
    (entry.retired && entry.decision === withdrawal(scope, candidate, hash))

/**
 * What was handed down last of an application, as far as it still is a candidate: what most children were told or
 * withdrawn from, at the step they were told, else at any.
 */
const lastHandedDown = ({ candidates }: Conflict, told: readonly Told[], hash: Hash): ReadEntry | undefined => {
  const counted = candidates
    .map(({ entry }) => {
      const children = told.filter(isTold(entry, hash))
      return { entry, children: children.length, exact: children.filter((one) => one.entry.step === entry.step).length }
    })
    .filter(({ children }) => children > 0)
    .toSorted((a, b) => b.exact - a.exact || b.children - a.children || byName(a.entry.hash, b.entry.hash))
  return counted[0]?.entry
}

const writeOf = (child: string, application: string, ask: Ask, standing: readonly ReadEntry[], above: ReadEntry) => {
  const { decision, version, step } = ask
  const before = [...above.seen, ...standing.flatMap(({ seen }) => seen)]
  const decisions = standing.map((one) => one.decision)
  // The fence is given when the lane is written, which counts on from what is there then.
  const entry = replacingEntry(decisions, before, { decision, version, step, fence: { generation: 1, n: 1 } })
  return { child, application, version, decision, step, seen: entry.seen } satisfies ChildWrite
}

/** `unseen`: only by labels that whoever signed the version may not see. */
type Match = 'yes' | 'no' | 'unseen'

const placementOf = (
  version: DeploymentVersion,
  seen: NonNullable<ChildrenQuestion['seen']>,
): ((child: Child) => Match) | string => {
  // Empty is nowhere by placement: only what is written by hand.
  if (version.placement === '') return () => 'no'
  try {
    const expression = parseLabelExpression(version.placement)
    return (child) => {
      if (matchesLabels(expression, seen(child, version))) return 'yes'
      return matchesLabels(expression, child.labels) ? 'unseen' : 'no'
    }
  } catch (error) {
    return errorText(error)
  }
}

/**
 * What one child is to be told of one application; undefined where what it was told stays.
 * @param mayRun whether it was told to run it
 */
type Tell = (child: Child, standing: readonly ReadEntry[], mayRun: boolean) => Ask | undefined

const stands = (standing: readonly ReadEntry[], ask: Ask) =>
  standing.length > 0 && standing.every((one) => isSameAsk(one, ask))
const runs = (standing: readonly ReadEntry[]) => standing.some(({ retired }) => !retired)

const tellRetired =
  (entry: ReadEntry): Tell =>
  ({ kind }, standing, mayRun) => {
    if (mayRun) return entry
    // A zone that knows the application also hears of later decisions, so that its outcomes name them.
    return kind === 'zone' && standing.length > 0 && !stands(standing, entry) ? entry : undefined
  }

const tellRun =
  (entry: ReadEntry, match: ((child: Child) => Match) | undefined, hash: Hash): Tell =>
  (child, standing, mayRun) => {
    const { scope, kind } = child
    const found = kind === 'zone' ? 'yes' : match?.(child)
    if (found === 'yes') return stands(standing, entry) ? undefined : entry
    if (found === undefined || !mayRun) return undefined
    // Told when the zone still let that label out, or before labels had borders: a new version ends it, nothing else.
    if (found === 'unseen' && standing.length > 0 && standing.every(({ version }) => version === entry.version))
      return undefined
    return { decision: withdrawal(scope, entry, hash), version: null, step: entry.step }
  }

/**
 * What a child was told, by another node of this owner or by this one before its disk went back, and replaces the decision
 * that stands here, or is not known here where others tell the child as well: then this scope's lanes are behind, and what
 * the child was told stays.
 * @param versions of the application that children were told
 */
const unheard = (
  child: string,
  above: ReadEntry,
  standing: readonly ReadEntry[],
  versions: () => readonly (string | null)[],
  { hash, known }: Pick<ChildrenQuestion, 'hash' | 'known'>,
): readonly string[] =>
  standing.flatMap((entry) => {
    const { decision, seen, retired } = entry
    if (decision === above.decision || above.seen.includes(decision)) return []
    if (!seen.includes(above.decision) && (known?.has(decision) ?? true)) return []
    // A withdrawal under a decision that is known here is no later one.
    const isKnown = (one: string) =>
      versions().some((version) => decision === withdrawal(child, { ...entry, decision: one, version }, hash))
    return retired && [above.decision, ...above.seen, ...(known ?? [])].some(isKnown) ? [] : [decision]
  })

const behindText = 'children were told a later decision than stands here: it is waited for, or decide anew'

/** In a conflict a child that was told another of its candidates keeps that. */
const keeping =
  ({ candidates }: Conflict, chosen: ReadEntry, tell: Tell, hash: Hash): Tell =>
  (child, standing, mayRun) => {
    const isKept = candidates.some(
      ({ entry, application }) =>
        application === undefined &&
        !(entry.decision === chosen.decision && entry.version === chosen.version) &&
        standing.some((one) => isTold(entry, hash)({ scope: child.scope, entry: one })),
    )
    return isKept ? undefined : tell(child, standing, mayRun)
  }

const waitingFor = (application: string, reason: ChildWaiting['reason'], text: string): ChildWaiting => ({
  application,
  reason,
  text,
})

/** Decisions to run what is not all here, and those they replaced. */
const absentOf = ({ effective, versions }: ChildrenQuestion): ReadonlySet<string> =>
  new Set(
    [...effective.values()].flatMap((found) =>
      found.kind === 'entry' && found.entry.version !== null && versions(found.entry.version) === undefined
        ? [found.entry.decision, ...found.entry.seen]
        : [],
    ),
  )

const planOne = (
  application: string,
  question: ChildrenQuestion,
  absent: ReadonlySet<string>,
): { readonly above?: ReadEntry; readonly tell?: Tell; readonly waiting: readonly ChildWaiting[] } => {
  const { versions, children, told, hash, policy = defaultLanePolicy } = question
  const found = question.effective.get(application)
  // Another application of the name that children were told of counts as handed down as well.
  const others = found?.kind === 'conflict' ? found.candidates.flatMap((one) => one.application ?? []) : []
  const toldAll = children.flatMap(({ scope }) =>
    [application, ...new Set(others)].flatMap((id) =>
      (told.get(scope)?.get(id) ?? nothing).map((entry) => ({ scope, entry })),
    ),
  )
  if (found === undefined)
    return {
      waiting: runs(toldAll.map(({ entry }) => entry))
        ? [waitingFor(application, 'absent', 'no lane here says anything of it')]
        : [],
    }
  const isOpen = found.kind === 'conflict'
  const chosen: Pick<Candidate, 'entry' | 'application'> | undefined = isOpen
    ? choose(found, lastHandedDown(found, toldAll, hash), policy)
    : found
  const above = chosen?.entry
  const waiting = isOpen
    ? [waitingFor(application, 'conflict', `${found.candidates.length} decisions do not know each other: settle them`)]
    : []
  // Where another of the name is what the sites keep, this one waits with all it wants.
  if (above === undefined || (isOpen && chosen?.application !== undefined)) return { waiting }
  const kept = (tell: Tell) => (isOpen ? keeping(found, above, tell, hash) : tell)
  if (above.version === null) {
    // What gives way to another of its name goes when that one can take its place, which the same decision says or one after it.
    if (!absent.has(above.decision)) return { above, tell: kept(tellRetired(above)), waiting }
    return {
      waiting: [...waiting, waitingFor(application, 'version-not-here', 'what takes its place is not all here')],
    }
  }
  const version = versions(above.version)
  const short = above.version.slice(0, 12)
  if (version === undefined)
    return {
      waiting: [...waiting, waitingFor(application, 'version-not-here', `version ${short} is not all here yet`)],
    }
  if (version.application !== application)
    return {
      waiting: [...waiting, waitingFor(application, 'wrong-version', `version ${short} is of another application`)],
    }
  const asks = (guard: ChildGuard) => question.guards?.has(guard) ?? true
  const seen = (asks('sight') ? question.seen : undefined) ?? (({ labels }: Child) => labels)
  const match = asks('placed') ? placementOf(version, seen) : () => 'yes' as const
  if (typeof match !== 'string') return { above, tell: kept(tellRun(above, match, hash)), waiting }
  return {
    above,
    tell: kept(tellRun(above, undefined, hash)),
    waiting: [...waiting, waitingFor(application, 'placement-unreadable', match)],
  }
}

/**
 * What to write so that every direct child is told what this scope wants of it. Zones get every entry as it stands here,
 * under the same decision; sites those whose placement matches those of their labels that its signer may see. `retired` goes
 * where something was told before, also by what is late now, and is retired here or no longer meant for that site. What is
 * absent, not here, or cannot be read changes nothing. Pure; the order of what is handed in does not matter, and once it is
 * written nothing is left to write.
 */
export const planChildren = (question: ChildrenQuestion): ChildPlan => {
  const { effective, told, children } = question
  const applications = [
    ...new Set([...effective.keys(), ...children.flatMap(({ scope }) => [...(told.get(scope)?.keys() ?? [])])]),
  ].toSorted(byName)
  const absent = absentOf(question)
  const planned = applications.map((application) => ({ application, ...planOne(application, question, absent) }))
  const versionsTold = (application: string, above: ReadEntry): readonly (string | null)[] => [
    ...new Set([
      above.version,
      ...[...told.values()].flatMap((of) => (of.get(application) ?? nothing).map((one) => one.version)),
    ]),
  ]
  const behind = new Map<string, readonly string[]>()
  const writes = children
    .toSorted((a, b) => byName(a.scope, b.scope))
    .flatMap((child) =>
      planned.flatMap(({ application, above, tell }): readonly ChildWrite[] => {
        const standing = told.get(child.scope)?.get(application) ?? nothing
        const ranLate = question.toldLate?.get(child.scope)?.has(application) ?? false
        const ask = tell?.(child, standing, standing.length > 0 ? runs(standing) : ranLate)
        if (!above || !ask) return []
        const waited = unheard(child.scope, above, standing, () => versionsTold(application, above), question)
        if (waited.length > 0) {
          behind.set(application, [...(behind.get(application) ?? []), ...waited])
          return []
        }
        return [writeOf(child.scope, application, ask, standing, above)]
      }),
    )
  const late = [...behind]
    .toSorted(([a], [b]) => byName(a, b))
    .map(([application, decisions]) => ({
      ...waitingFor(application, 'behind', behindText),
      decisions: [...new Set(decisions)].toSorted(byName),
    }))
  return { writes, waiting: [...planned.flatMap(({ waiting }) => waiting), ...late] }
}

/** One line, like `retire 0e0e0e0e at /de/munich-7`. */
export const describeChildWrite = ({ child, application, version, decision, step }: ChildWrite): string => {
  const [app, choice] = [application.slice(0, 8), decision.slice(0, 8)]
  return version === null
    ? `retire ${app} at ${child} by decision ${choice}`
    : `run ${app} version ${version.slice(0, 8)} step ${step} at ${child} by decision ${choice}`
}
