import { ancestorsOf, sites, type Topology } from '../../topologies/index.ts'
import type { Machine, World } from '../world/index.ts'
import type { RunSpan, SiteRow } from './record.ts'
import { applicationName, guestName } from './shown-application.ts'

/** What the tower has heard is old after so long: edges report at least three times as often. */
const unheardMs = 60_000

type Writable<Row> = { -readonly [Key in keyof Row]: Row[Key] }

interface SiteState {
  readonly name: string
  readonly path: string
  readonly machines: readonly Machine[]
  readonly ran: Writable<RunSpan>[]
  readonly accepted: { atMs: number; version: string }[]
  readonly unheard: { fromMs: number; toMs: number }[]
  readonly guest: { fromMs: number; toMs: number }[]
  /** Version that each host took last. */
  readonly taken: Map<string, string>
}

/** Watches what runs at each site, what it accepted, and how long the tower heard nothing of it. */
export interface SiteWatch {
  /** Looks at everything as it is now. @param atMs of the record */
  sample(atMs: number): void
  /** An edge wrote down what it accepted: it lies on its disk now. */
  took(machine: string, atMs: number): void
  /** Whether a site runs this version on every host, and nothing else. */
  runs(site: string, version: string): boolean
  /** On how many hosts of a site the second application runs. */
  guests(site: string): number
  /** Share of sites that do. */
  share(version: string): number
  /** What the tower says of the age of its knowledge, by site; sites it says nothing of are left as they were. */
  heard(atMs: number, ages: ReadonlyMap<string, number>): void
  rows(): readonly SiteRow[]
}

const countOf = (machines: readonly Machine[]): Pick<RunSpan, 'version' | 'running' | 'others'> => {
  const byVersion = new Map<string, number>()
  for (const { host } of machines) {
    const found = new Set(
      (host?.containers() ?? [])
        .filter(({ state, owner }) => state === 'running' && owner.application === applicationName)
        .map(({ owner }) => owner.version),
    )
    for (const version of found) byVersion.set(version, (byVersion.get(version) ?? 0) + 1)
  }
  const [[version, running] = ['', 0] as const, ...rest] = [...byVersion].toSorted(
    ([a, many], [b, few]) => few - many || (a < b ? 1 : -1),
  )
  return { version, running, others: rest.reduce((sum, [, count]) => sum + count, 0) }
}

const guestsOn = (machines: readonly Machine[]): number =>
  machines.filter(({ host }) =>
    host?.containers().some(({ state, owner }) => state === 'running' && owner.application === guestName),
  ).length

/** What an edge writes down, as far as it is read here. */
interface Accepted {
  readonly applications: readonly { readonly application: string; readonly version: string }[]
}

const acceptedAt = ({ disk }: Machine): string | undefined =>
  disk
    .stateFile<Accepted>('accepted')
    .load()
    ?.applications.find(({ application }) => application === applicationName)?.version

export const watchSites = (world: World): SiteWatch => {
  const { topology } = world
  const states: readonly SiteState[] = sites(topology)
    .filter(({ type }) => type === 'edge')
    .map(({ name, path, hosts }) => ({
      name,
      path,
      machines: hosts.map((host) => world.machine(host.name)),
      ran: [],
      accepted: [],
      unheard: [],
      guest: [],
      taken: new Map(),
    }))
  const byName = new Map(states.map((state) => [state.name, state]))
  const runsAt = ({ machines }: SiteState, version: string): boolean => {
    const now = countOf(machines)
    return now.version === version && now.running === machines.length && now.others === 0
  }
  /** When was looked last; nobody has looked yet. */
  let lookedMs = -1
  return {
    sample: (atMs) => {
      const beforeMs = lookedMs
      lookedMs = atMs
      for (const { machines, ran, guest } of states) {
        const now = countOf(machines)
        const last = ran.at(-1)
        if (last) last.toMs = atMs
        const isSame = last?.version === now.version && last.running === now.running && last.others === now.others
        if (!isSame) ran.push({ fromMs: atMs, toMs: atMs, ...now })
        if (guestsOn(machines) < machines.length) continue
        const visit = guest.at(-1)
        if (visit && visit.toMs === beforeMs) visit.toMs = atMs
        else guest.push({ fromMs: atMs, toMs: atMs })
      }
    },
    took: (machine, atMs) => {
      const { site } = world.machine(machine).place
      const state = byName.get(site ?? '')
      const version = acceptedAt(world.machine(machine))
      if (!state || version === undefined || state.taken.get(machine) === version) return
      state.taken.set(machine, version)
      const all = state.machines.every((one) => state.taken.get(one.place.name) === version)
      if (all) state.accepted.push({ atMs, version })
    },
    runs: (site, version) => {
      const state = byName.get(site)
      return state !== undefined && runsAt(state, version)
    },
    guests: (site) => guestsOn(byName.get(site)?.machines ?? []),
    share: (version) => states.filter((state) => runsAt(state, version)).length / Math.max(1, states.length),
    heard: (atMs, ages) => {
      for (const { name, unheard } of states) {
        const ageMs = ages.get(name)
        if (ageMs === undefined || ageMs < unheardMs) continue
        const fromMs = Math.max(0, Math.round(atMs - ageMs))
        const last = unheard.at(-1)
        // The same silence, seen again.
        if (last && fromMs <= last.toMs) last.toMs = atMs
        else unheard.push({ fromMs, toMs: atMs })
      }
    },
    rows: () =>
      states.map(({ name, path, machines, ran, accepted, unheard, guest }) => ({
        name,
        path,
        depth: depthOf(path),
        hosts: machines.map(({ place }) => place.name),
        ran,
        accepted,
        unheard,
        guest,
      })),
  }
}

const depthOf = (path: string): number => path.split('/').length - 1

/**
 * How old what a tower knows of each site is: what it says of the site, or of the zone that lets out counts alone.
 * @param zoneAges by path of the zone
 */
export const agesBySite = (
  topology: Topology,
  siteAges: ReadonlyMap<string, number>,
  zoneAges: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> => {
  const ages = new Map<string, number>()
  for (const { name, path } of sites(topology)) {
    const zone = ancestorsOf(path).find((above) => zoneAges.has(above))
    const ageMs = siteAges.get(name) ?? (zone === undefined ? undefined : zoneAges.get(zone))
    if (ageMs !== undefined) ages.set(name, ageMs)
  }
  return ages
}
