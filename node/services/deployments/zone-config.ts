import type { DeploymentVersion, LaneVoice, ReadEntry } from '../../../crdt/index.ts'
import { withHistory } from './admit.ts'
import { byName, type Placement } from './placement.ts'
import { allSites, type VersionStep } from './sign-versions.ts'
import type { Specification } from './specification-blob.ts'
import type { ConfiguredApplication, ConfiguredDeployment, Decision, TenantConfig } from './tenant-config.ts'

/** One word that stands at a zone for an application, with what it leads to as far as that is here. */
export interface StandingWord {
  readonly voice: LaneVoice
  readonly entry: ReadEntry
  readonly version: DeploymentVersion | undefined
  readonly specification: Specification | undefined
}

/** What a zone's lanes come to for one application: one word, or those that are in conflict. */
export interface Standing {
  readonly words: readonly StandingWord[]
  /** Words for another application of the same name, which are in conflict with these. @default none */
  readonly beside?: readonly ReadEntry[]
}

/** A change of a deployment by the zone's own operators. */
export interface OwnChange {
  /** Id of the application it is of. */
  readonly application: string
  /** Whether an entry of the zone's own lane says it. */
  readonly isDecided: boolean
  /** The decision that says it; absent until it is decided, and where an earlier release decided it. */
  readonly decision?: string
}

/** What a zone keeps of its configuration. Everything but the changes of its operators can be read from its lanes again. */
export interface ZoneConfig {
  readonly applications: readonly ConfiguredApplication[]
  readonly deployments: readonly ConfiguredDeployment[]
  /** Ids of deployments its operators removed. */
  readonly removed: readonly string[]
  /** By the id of the deployment. */
  readonly changes: Readonly<Record<string, OwnChange>>
  /** Ids of applications its operators wrote. */
  readonly written: readonly string[]
  /** By the id of the deployment the number of the last version this zone signed: written before it is used. */
  readonly signed: Readonly<Record<string, number>>
  readonly order: number
}

export const noZoneConfig: ZoneConfig = {
  applications: [],
  deployments: [],
  removed: [],
  changes: {},
  written: [],
  signed: {},
  order: 0,
}

const keptVersions = 10

/** The word a person who reads the configuration is shown: the zone's own where there is one. */
const shownWord = ({ words }: Standing): StandingWord | undefined =>
  words.find(({ voice, entry }) => voice === 'local' && entry.follows !== true) ?? words[0]

/** Whether all that stands came from above: then what the zone's operators wrote before is over. */
const isFromAbove = ({ words }: Standing): boolean =>
  words.every(({ voice, entry }) => voice === 'intent' || entry.follows === true)

const placementOf = (expression: string): Placement =>
  expression === allSites ? { 'all-sites': true } : { 'match-site-labels': expression }

const sameJson = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

type Revision = ConfiguredApplication['revisions'][number]

/** The versions held with those the lanes name: the last one is what `*` means, so an operator's own stays last. */
const withRevisions = (held: readonly Revision[], named: readonly Revision[], isOwn: boolean): readonly Revision[] => {
  let all = [...held]
  for (const one of named) {
    const same = all.findIndex(({ version }) => version === one.version)
    if (same >= 0 && (isOwn || all[same]?.revision === one.revision)) continue
    if (same >= 0) all = all.toSpliced(same, 1)
    all = isOwn ? all.toSpliced(-1, 0, one) : [...all, one]
  }
  return all.slice(-keptVersions)
}

const revisionsOf = ({ words }: Standing): readonly Revision[] =>
  words.flatMap(({ version, specification }) =>
    version === undefined || specification === undefined
      ? []
      : [{ version: specification.application.version ?? '', revision: version.revision, changedAtMs: 0 }],
  )

const nameOf = ({ words }: Standing): string | undefined =>
  words.flatMap(({ specification }) => specification?.application.name ?? [])[0]

/**
 * Changes that still count: one that was decided and has given way is over, to the word from above or to another of the
 * zone, as of an operator at its other aggregator.
 */
const openChanges = (
  changes: ZoneConfig['changes'],
  standing: ReadonlyMap<string, Standing>,
): readonly (readonly [string, OwnChange])[] => {
  const said = Map.groupBy(Object.values(changes), ({ application }) => application)
  return Object.entries(changes).filter(([, { application, isDecided }]) => {
    const found = standing.get(application)
    if (!isDecided || found === undefined) return true
    const own = (said.get(application) ?? []).flatMap(({ decision }) => decision ?? [])
    return !isFromAbove(found) && (own.length === 0 || found.words.some(({ entry }) => own.includes(entry.decision)))
  })
}

/** The order number of an object: the one it had while it says the same. */
const ordered = <Item extends { readonly order: number }>(
  before: Item | undefined,
  next: Omit<Item, 'order'>,
  take: () => number,
): Item => {
  const { order: _, ...said } = before ?? { order: 0 }
  return before !== undefined && sameJson(said, next) ? before : ({ ...next, order: take() } as Item)
}

/** Of two applications of one name: what the zone wants itself, what its operators only wrote, what runs, what is over. */
const rankIn =
  (standing: ReadonlyMap<string, Standing>) =>
  (id: string): number => {
    const running = standing.get(id)?.words.filter(({ entry }) => !entry.retired)
    if (running === undefined) return 1
    if (running.length === 0) return 3
    return running.some(({ voice, entry }) => voice === 'local' && entry.follows !== true) ? 0 : 2
  }

/**
 * Brings what a zone keeps up to what its lanes come to: applications and deployments appear as they were handed down,
 * but for those its own operators changed. Pure; the order of what is handed in does not matter.
 */
export const mergeZoneConfig = (kept: ZoneConfig, standing: ReadonlyMap<string, Standing>): ZoneConfig => {
  let { order } = kept
  const take = () => ++order
  const changes = Object.fromEntries(openChanges(kept.changes, standing))
  const changed = new Set(Object.values(changes).map(({ application }) => application))
  const held = new Map(kept.applications.map((one) => [one.id, one]))
  const rank = rankIn(standing)
  const ids = [...new Set([...kept.written, ...standing.keys()])].toSorted((a, b) => rank(a) - rank(b) || byName(a, b))
  const applications: ConfiguredApplication[] = []
  for (const id of ids) {
    const before = held.get(id)
    const found = standing.get(id)
    const name = before?.name ?? (found && nameOf(found))
    const revisions = withRevisions(before?.revisions ?? [], found ? revisionsOf(found) : [], changed.has(id))
    // Names are labels: of two applications of one name one is shown.
    if (name === undefined || revisions.length === 0 || applications.some((one) => one.name === name)) continue
    applications.push(ordered(before, { id, name, revisions }, take))
  }
  applications.sort((a, b) => byName(a.id, b.id))
  const names = new Map(applications.map(({ id, name }) => [id, name]))
  const before = new Map(kept.deployments.map((one) => [one.id, one]))
  const own = kept.deployments.filter(({ id }) => changes[id] !== undefined)
  const taken = new Set(own.map(({ spec }) => spec.name))
  const handed = [...standing]
    .toSorted(([a], [b]) => byName(a, b))
    .flatMap(([id, found]): ConfiguredDeployment[] => {
      const word = shownWord(found)
      const application = names.get(id)
      const { version, specification } = word ?? {}
      if (version === undefined || specification === undefined || application === undefined) return []
      if (changes[version.deployment] !== undefined || taken.has(version.name)) return []
      const last = before.get(version.deployment)
      const shown = specification.application.version ?? ''
      const spec = {
        name: version.name,
        application,
        'application-version': shown || '*',
        placement: placementOf(version.placement),
      }
      const history = withHistory(last?.history ?? [], shown)
      return [ordered(last, { id: version.deployment, spec, changedAtMs: 0, history }, take)]
    })
  return {
    ...kept,
    applications,
    deployments: [...own, ...handed],
    removed: kept.removed.filter((id) => changes[id] !== undefined),
    changes,
    order,
  }
}

/** What stands of each deployment, as `planVersions` compares it with the configuration. */
const decisionsOf = (kept: ZoneConfig, standing: ReadonlyMap<string, Standing>): ReadonlyMap<string, Decision> => {
  const found = [...standing].flatMap(([application, one]): readonly Decision[] => {
    const word = shownWord(one)
    if (word === undefined) return []
    const { entry, version } = word
    const own = Object.entries(kept.changes).find(([, change]) => change.application === application)?.[0]
    const deployment = version?.deployment ?? own
    if (deployment === undefined) return []
    const order = Math.max(version?.order ?? 0, kept.signed[deployment] ?? 0)
    return [{ deployment, application, decision: entry.decision, version: entry.version, order, seen: [] }]
  })
  return new Map(found.map((one) => [one.deployment, one]))
}

/** A zone's configuration as its tenant's at home looks, decisions included. */
export const tenantConfigOf = (kept: ZoneConfig, standing: ReadonlyMap<string, Standing>): TenantConfig => ({
  applications: new Map(kept.applications.map((one) => [one.id, one])),
  deployments: new Map(kept.deployments.map((one) => [one.id, one])),
  decisions: decisionsOf(kept, standing),
  removed: new Set(kept.removed),
  order: kept.order,
})

/** Notes what operators of the zone wrote: `part` holds what they changed and nothing else. */
export const withOwnChange = (kept: ZoneConfig, part: TenantConfig): ZoneConfig => {
  const names = new Map([...kept.applications, ...part.applications.values()].map(({ name, id }) => [name, id]))
  const isRemoved = ({ id }: { readonly id: string }) => part.removed.has(id)
  const changes = { ...kept.changes }
  for (const { id, spec } of part.deployments.values())
    changes[id] = { application: names.get(spec.application) ?? '', isDecided: false }
  const gone = kept.deployments.filter(isRemoved)
  for (const { id, spec } of gone) changes[id] = { application: names.get(spec.application) ?? '', isDecided: false }
  const without = <Item extends { readonly id: string }>(all: readonly Item[], more: ReadonlyMap<string, Item>) =>
    [...all.filter(({ id }) => !more.has(id)), ...more.values()].filter((one) => !isRemoved(one))
  return {
    ...kept,
    applications: without(kept.applications, part.applications),
    deployments: without(kept.deployments, part.deployments),
    removed: [...new Set([...kept.removed, ...gone.map(({ id }) => id)])],
    changes,
    written: [...new Set([...kept.written, ...part.applications.keys()])].filter((id) => !part.removed.has(id)),
    order: Math.max(kept.order, part.order),
  }
}

/** What has to be named by a decision of an application so that it replaces all that stands. */
export const seenBy = (standing: Standing | undefined): readonly string[] =>
  [...(standing?.words ?? []).map(({ entry }) => entry), ...(standing?.beside ?? [])].flatMap(({ decision, seen }) => [
    decision,
    ...seen,
  ])

/**
 * Changes as decided: `signed` holds the numbers of the versions signed for them.
 * @param decisions by the id of the deployment; one that said nothing new is said by what stands
 */
export const withDecided = (
  kept: ZoneConfig,
  deployments: readonly string[],
  decisions: ReadonlyMap<string, string> = new Map(),
  standing: ReadonlyMap<string, Standing> = new Map(),
): ZoneConfig => {
  const decided = (id: string, change: OwnChange): OwnChange => {
    const found = standing.get(change.application)
    const decision = decisions.get(id) ?? (found && shownWord(found)?.entry.decision)
    return { ...change, isDecided: true, ...(decision !== undefined && { decision }) }
  }
  return {
    ...kept,
    changes: Object.fromEntries(
      Object.entries(kept.changes).map(([id, change]) => [id, deployments.includes(id) ? decided(id, change) : change]),
    ),
  }
}

/** Steps with numbers that this zone never used, also where another deployment stands for the application now. */
export const withFreshOrders = ({ signed }: ZoneConfig, steps: readonly VersionStep[]): readonly VersionStep[] =>
  steps.map((step) => ({
    ...step,
    order: Math.max(step.order, (signed[step.deployment] ?? 0) + (step.kind === 'sign' ? 1 : 0)),
  }))

/** Without an application of the zone's own: its operators settled for another of the name. */
export const withoutApplication = (kept: ZoneConfig, application: string): ZoneConfig => {
  const own = Object.keys(kept.changes).filter((id) => kept.changes[id]?.application === application)
  return {
    ...withoutChanges(kept, application),
    applications: kept.applications.filter(({ id }) => id !== application),
    deployments: kept.deployments.filter(({ id }) => !own.includes(id)),
    written: kept.written.filter((id) => id !== application),
  }
}

/** Without the changes of one application: its operators settled for the word from above. */
export const withoutChanges = (kept: ZoneConfig, application: string): ZoneConfig => {
  const gone = Object.keys(kept.changes).filter((id) => kept.changes[id]?.application === application)
  return {
    ...kept,
    changes: Object.fromEntries(Object.entries(kept.changes).filter(([id]) => !gone.includes(id))),
    removed: kept.removed.filter((id) => !gone.includes(id)),
  }
}
