import { type Clock, nameHint, type ScopePath, SkerryError } from '../base/index.ts'
import {
  type Book,
  type Candidate,
  choose,
  type Documents,
  type LanePolicy,
  laneOwner,
  parseLaneName,
  type ReadEntry,
  type RollUp,
  type ZoneWish,
} from '../crdt/index.ts'
import type { ConflictCandidateView, ConflictView, SettledView } from './api/index.ts'
import { createApplicationNames } from './application-names.ts'
import type { EntryAuthors } from './entry-authors.ts'
import { createFoundConflicts, type FoundConflict, idsOf } from './found-conflicts.ts'
import type { LocalDesk } from './local-desk.ts'
import type { ScopeLanes } from './scope-lanes.ts'
import type { HostReport } from './services/deployments/index.ts'
import { pickCandidate, type SettleCall, shownDigits } from './settle-call.ts'
import type { Specifications } from './specifications.ts'

/** A zone below as far as conflicts in it are known here. */
export interface ZoneBelow {
  readonly scope: ScopePath
  readonly policy: LanePolicy
  /** Whether operators of this node's scope may act inside it. */
  readonly letsIn: boolean
  /** What the zone itself last said of decisions from above. */
  readonly outcomes: RollUp['outcomes']
  /** What its operators want, where it exports that without who said so. */
  readonly wishes: readonly (ZoneWish & { readonly read: ReadEntry })[]
}

export interface ConflictsOptions {
  readonly scope: ScopePath
  readonly lanes: ScopeLanes
  readonly policy: () => LanePolicy
  readonly documents: Documents
  readonly book: Book
  readonly authors: EntryAuthors
  readonly specifications: Specifications
  readonly clock: Clock
  readonly local: LocalDesk | undefined
  readonly below: () => readonly ZoneBelow[]
  readonly reports: () => readonly HostReport[]
  /** Scope of a site; undefined for one that is not known here. */
  readonly scopeOfSite: (site: string) => string | undefined
  /** What an application is called here; undefined when nobody told. */
  readonly nameOf: (application: string) => Promise<string | undefined>
  /** What stands in the lane of a site right below: the decisions it was told of the application. */
  readonly told: (application: string) => Promise<ReadonlySet<string>>
  /** Asks a zone below to settle. */
  readonly ask: (zone: string, call: SettleCall, signal: AbortSignal) => Promise<unknown>
  /** Makes a new decision of this scope that names what it may not read; undefined where this scope has no configuration. */
  readonly decideAnew: ((application: string, seen: readonly string[]) => Promise<boolean>) | undefined
}

/** A zone whose own operators decided otherwise, knowing what is wanted from here. */
export interface Override {
  readonly application: string
  readonly scope: string
}

export interface Conflicts {
  list(): Promise<readonly ConflictView[]>
  /** By application and scope. */
  overrides(): Promise<readonly Override[]>
  /**
   * Ends a conflict here or, with `zone`, in a zone below.
   * @throws {SkerryError} `not-found`, `ambiguous`, `beyond-border`, `site-unreachable`
   */
  settle(call: SettleCall & { readonly zone?: string }, signal: AbortSignal): Promise<SettledView>
}

const isWithin = (scope: string, zone: string): boolean => scope.startsWith(zone === '/' ? '/' : `${zone}/`)

export const createConflicts = (options: ConflictsOptions): Conflicts => {
  const { scope, book, specifications, clock, local } = options
  /** When each was first seen, on the monotonic clock. */
  const since = new Map<string, number>()

  const { viewOf, exported, own, readable } = createFoundConflicts({
    ...options,
    names: createApplicationNames({ book, specifications, reports: options.reports }),
  })

  const runningAt = (zone: string, revision: string | undefined): readonly string[] => {
    if (revision === undefined) return []
    const sites = options
      .reports()
      .filter((report) => isWithin(options.scopeOfSite(report.site) ?? '', zone))
      .filter((report) =>
        report.status?.applications.some(
          (one) =>
            one.revision === revision &&
            one.instances.some(({ containers }) => containers.some(({ state }) => state === 'running')),
        ),
      )
      .map(({ site }) => site)
    return [...new Set(sites)].toSorted()
  }

  /** The version label of a revision: from its specification, else as a host that runs it said. */
  const labelOf = async (revision: string): Promise<string | undefined> => {
    const held = await specifications.read(revision)
    if (held !== undefined) return held.application.version ?? ''
    return options
      .reports()
      .flatMap(({ status }) => status?.applications ?? [])
      .find((one) => one.revision === revision)?.version
  }

  const candidateView = async (
    { scope: zone }: Pick<FoundConflict, 'scope'>,
    application: string,
    { lane, voice, entry }: Candidate,
  ): Promise<Omit<ConflictCandidateView, 'runs'>> => {
    const name = parseLaneName(lane)
    const owner = laneOwner(name)
    const author = await options.authors.of(name, application, entry)
    const by = author === undefined ? undefined : book.certificateOf(author)?.body.host
    const held = entry.version === null ? undefined : book.version(entry.version)?.body
    const said = held === undefined ? exported(zone, entry) : undefined
    const version = held ?? (said?.revision ? { revision: said.revision, name: said.deployment } : undefined)
    const label = version && (await labelOf(version.revision))
    return {
      id: entry.decision.slice(0, shownDigits),
      voice,
      scope: owner !== undefined && 'scope' in owner ? owner.scope : zone,
      ...(by !== undefined && { by }),
      ...(label !== undefined && { version: label }),
      ...(version && { revision: version.revision, deployment: version.name }),
      ...(entry.retired && { retired: true as const }),
      sites: runningAt(zone, version?.revision),
    }
  }

  const sinceMs = (zone: string, application: string): number => {
    const key = `${zone} ${application}`
    const first = since.get(key) ?? clock.monotonicMs()
    since.set(key, first)
    return clock.monotonicMs() - first
  }
  const nameOf = async (application: string) => (await options.nameOf(application)) ?? application.slice(0, 12)

  const viewOfFound = async (found: FoundConflict): Promise<ConflictView> => {
    const { application, candidates } = found.conflict
    const zone = options.below().find((one) => one.scope === found.scope)
    const ids = idsOf(found.conflict)
    const shown = await Promise.all(
      candidates.map(async (one) => ({
        ...(await candidateView(found, one.application ?? application, one)),
        ...(ids.length > 1 && { 'application-id': one.application ?? application }),
      })),
    )
    const told = new Set(
      zone === undefined ? (await Promise.all(ids.map(options.told))).flatMap((some) => [...some]) : [],
    )
    const most = Math.max(...shown.map(({ sites }) => sites.length))
    const chosen =
      candidates.find(({ entry }) => told.has(entry.decision)) ??
      candidates.find((_, at) => most > 0 && shown[at]?.sites.length === most) ??
      choose(found.conflict, undefined, zone?.policy ?? options.policy())
    const canSettle = zone === undefined ? local !== undefined : zone.letsIn
    const where = found.scope === scope ? '' : ` --zone ${found.scope}`
    return {
      application: await nameOf(application),
      'application-id': application,
      scope: found.scope,
      'since-ms': sinceMs(found.scope, application),
      candidates: shown.map((one, at) => ({ ...one, runs: candidates[at] === chosen })),
      withheld: [],
      'can-settle': canSettle,
      note:
        (ids.length > 1 ? `${ids.length} applications were given this name: ` : '') +
        (canSettle
          ? `end it with "skerry conflicts settle ${await nameOf(application)} --take CANDIDATE${where}"`
          : `beyond here ${found.scope} answers: its operators settle it`),
    }
  }

  /** A decision of this scope as a zone names it in its outcomes. */
  const decidedHere = async (
    application: string,
    decision: string,
    zone: ScopePath,
  ): Promise<ConflictCandidateView> => {
    for (const { id: tenant } of book.tenants()) {
      // The decision keeps its id on its way down: what the child in between was told of it is known here.
      const child = zone
        .split('/')
        .slice(0, scope === '/' ? 2 : scope.split('/').length + 1)
        .join('/') as ScopePath
      const view = await viewOf({ kind: 'intent', scope: child, tenant, owner: scope })
      const entry = view?.entries.get(application)?.find((one) => one.decision === decision)
      if (view === undefined || entry === undefined) continue
      const shown = await candidateView({ scope: zone }, application, { lane: view.lane, voice: view.voice, entry })
      return { ...shown, runs: false }
    }
    return { id: decision.slice(0, shownDigits), voice: 'intent', scope, sites: [], runs: false }
  }

  /** What zones that keep their own lane to themselves said of decisions from above. */
  const withheld = async (known: readonly FoundConflict[]): Promise<readonly ConflictView[]> => {
    const views: ConflictView[] = []
    for (const zone of options.below()) {
      const isKnown = (application: string) =>
        known.some((one) => one.scope === zone.scope && idsOf(one.conflict).includes(application))
      const open = zone.outcomes.filter((one) => one.outcome === 'conflict' && !isKnown(one.application))
      for (const [application, outcomes] of Map.groupBy(open, (one) => one.application)) {
        const count = new Set(outcomes.flatMap(({ by }) => by)).size
        const byAncestor = zone.policy.settle === 'ancestor' && options.decideAnew !== undefined
        const name = await nameOf(application)
        const labels = await Promise.all(outcomes.map(({ decision }) => decidedHere(application, decision, zone.scope)))
        views.push({
          application: name,
          'application-id': application,
          scope: zone.scope,
          'since-ms': sinceMs(zone.scope, application),
          candidates: labels,
          withheld: count === 0 ? [] : [{ zone: zone.scope, count }],
          'can-settle': byAncestor || zone.letsIn,
          note: byAncestor
            ? `end it with "skerry conflicts settle ${name} --take above --zone ${zone.scope}": the zone lets those above settle`
            : `beyond here ${zone.scope} answers: its operators settle it`,
        })
      }
    }
    return views
  }

  const list = async (): Promise<readonly ConflictView[]> => {
    const found = [...(await own()), ...(await readable())]
    const views = [...(await Promise.all(found.map(viewOfFound))), ...(await withheld(found))]
    const keys = new Set(views.map((one) => `${one.scope} ${one['application-id']}`))
    for (const key of since.keys()) if (!keys.has(key)) since.delete(key)
    return views.toSorted((a, b) => (`${a.application} ${a.scope}` < `${b.application} ${b.scope}` ? -1 : 1))
  }

  const notFound = (application: string, views: readonly ConflictView[]): never => {
    const known = views.map((one) => one.application)
    throw new SkerryError(
      'not-found',
      `there is no conflict about ${application} here; ${known.length === 0 ? 'no application is in conflict' : nameHint(application, known)}`,
    )
  }
  const isNamed = (given: string, one: ConflictView): boolean =>
    one.application === given || one['application-id'] === given

  const settleOwn = async (call: SettleCall): Promise<SettledView> => {
    if (local === undefined)
      throw new SkerryError(
        'read-only-here',
        'conflicts are settled at the zone where they are, or with --zone from above',
      )
    const found = await own()
    const views = await Promise.all(found.map(viewOfFound))
    const at = views.findIndex((one) => isNamed(call.application, one))
    const one = found[at] ?? notFound(call.application, views)
    const taken = pickCandidate(one.conflict, call)
    const view = views[at]?.candidates.find(({ id }) => taken.entry.decision.startsWith(id))
    await local.settle(one.conflict, taken, one.tenant)
    return {
      application: views[at]?.application ?? call.application,
      scope,
      taken: {
        id: taken.entry.decision.slice(0, shownDigits),
        voice: taken.voice,
        scope: view?.scope ?? scope,
        ...(view?.version !== undefined && { version: view.version }),
        ...(taken.entry.retired && { retired: true as const }),
      },
    }
  }

  /** By a decision of this scope that names the opaque ids of what it may not read. */
  const settleAbove = async (zone: ZoneBelow, call: SettleCall): Promise<SettledView> => {
    const views = (await withheld([])).filter((one) => one.scope === zone.scope)
    const view = views.find((one) => isNamed(call.application, one)) ?? notFound(call.application, views)
    const id = view['application-id']
    const seen = zone.outcomes.flatMap((one) => (one.application === id ? one.by : []))
    if (call.take !== 'above')
      throw new SkerryError(
        'not-found',
        `only what is wanted from here can be taken for ${zone.scope}: use --take above`,
      )
    if (!(await options.decideAnew?.(id, seen)))
      throw new SkerryError('not-found', `nothing of ${call.application} is decided here that ${zone.scope} could take`)
    const [own] = view.candidates
    return {
      application: view.application,
      scope: zone.scope,
      taken: {
        id: own?.id ?? '',
        voice: 'intent',
        scope,
        ...(own?.version !== undefined && { version: own.version }),
      },
    }
  }

  const overrides = async (): Promise<readonly Override[]> => {
    const found: Override[] = []
    for (const zone of options.below())
      for (const application of new Set(
        zone.outcomes.flatMap((one) => (one.outcome === 'overridden' && one.by.length > 0 ? one.application : [])),
      ))
        found.push({ application: await nameOf(application), scope: zone.scope })
    return found.toSorted((a, b) => (`${a.application} ${a.scope}` < `${b.application} ${b.scope}` ? -1 : 1))
  }

  return {
    list,
    overrides,
    settle: async ({ zone: path, ...call }, signal) => {
      if (path === undefined || path === scope) {
        // One that is in a single zone below needs no --zone.
        const elsewhere = path === undefined ? (await list()).filter((one) => isNamed(call.application, one)) : []
        const [only] = elsewhere
        if (elsewhere.length > 1 && !elsewhere.some((one) => one.scope === scope))
          throw new SkerryError(
            'ambiguous',
            `${call.application} is in conflict in ${elsewhere.map((one) => one.scope).join(', ')}: name one with --zone`,
          )
        if (only === undefined || elsewhere.some((one) => one.scope === scope)) return settleOwn(call)
        path = only.scope
      }
      const zone = options.below().find((one) => one.scope === path)
      if (zone?.policy.settle === 'ancestor' && !zone.letsIn && options.decideAnew !== undefined)
        return settleAbove(zone, call)
      return (await options.ask(path, call, signal)) as SettledView
    },
  }
}
