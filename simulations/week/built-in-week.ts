import { sites, type Topology, visibleTo, type Zone, zones } from '../../topologies/index.ts'
import { findTarget } from './find-target.ts'
import type { Day, Deed, PlannedStep, Target, WeekPlan } from './plan.ts'

const minute = 60_000
/** A day of the week has what happens in one and leaves out the hours in which nothing does. */
const dayMs = 20 * minute
/** An end that hears nothing for 20 s takes its link for lost: shorter than this a cut shows little. */
const shortestCutMs = 75_000
const restMs = 40_000

const titles = [
  'each zone loses its uplink, one after the other',
  'each site loses its uplink, one after the other',
  'a rollout while a zone is cut off',
  'the power goes',
  'a version is taken back while a site is cut off, and a label moves an application',
  'wrong clocks',
  'nothing happens',
] as const

const dayAt = (number: number) => (number - 1) * dayMs

/** One cut for each target within a day: in turn, and overlapping where there are more than fit. */
const inTurn = (targets: readonly Target[], number: number): PlannedStep[] => {
  const everyMs = Math.floor((dayMs - 2 * minute) / Math.max(1, targets.length))
  const lastsMs = Math.max(shortestCutMs, Math.min(3 * minute, everyMs - restMs))
  return targets.map((target, at) => {
    const atMs = dayAt(number) + 30_000 + at * everyMs
    return { atMs, kind: 'cut', target, untilMs: Math.min(atMs + lastsMs, dayAt(number + 1) - restMs) }
  })
}

const sitesBelow = (zone: Zone): number =>
  zone.sites.filter(({ type }) => type === 'edge').length + zone.zones.reduce((sum, one) => sum + sitesBelow(one), 0)

const largest = <Item>(items: readonly Item[], size: (item: Item) => number): Item | undefined =>
  items.toSorted((a, b) => size(b) - size(a))[0]

/** Who goes through the worst: the largest zone that leaves at least half of the sites outside, the largest sites. */
const chooseVictims = (topology: Topology) => {
  const edges = sites(topology).filter(({ type }) => type === 'edge')
  const inner = zones(topology).filter(({ path }) => path !== '/')
  const halves = inner.filter((zone) => sitesBelow(zone) * 2 <= edges.length && sitesBelow(zone) > 0)
  const target = (name: string | undefined) => (name === undefined ? undefined : findTarget(topology, name))
  const zone = largest(halves, sitesBelow) ?? largest(inner, sitesBelow)
  const other = largest(
    halves.filter(({ path }) => zone && !path.startsWith(zone.path) && !zone.path.startsWith(path)),
    sitesBelow,
  )
  // The tower places by the labels it sees.
  const seen = edges.filter(({ path }) => visibleTo(topology, path, topology.root.path, 'names') === 'all')
  const outside = edges.filter(({ path }) => zone && !path.startsWith(`${zone.path}/`))
  const site = largest(edges, ({ hosts }) => hosts.length)
  const others = outside.filter((one) => one !== site)
  const second = largest(others.length > 0 ? others : edges, ({ hosts }) => hosts.length)
  return {
    zone: target(zone?.path) ?? target(site?.name),
    otherZone: target(other?.path) ?? target(zone?.path),
    site: target(site?.name),
    otherSite: target(second?.name),
    labelled: target((seen.find((one) => one !== site) ?? seen[0])?.name),
    aggregator: target((other ?? zone)?.hosts[0]?.name),
    tower: target(topology.root.hosts[0]?.name),
  }
}

const year1970 = 0
/** 1 January 2036. */
const tenYearsOn = 2_082_758_400_000

/** What any tree goes through in the built-in week, days of twenty minutes. Version 1 runs everywhere when it begins. */
export const builtInWeek = (topology: Topology): WeekPlan => {
  const { zone, otherZone, site, otherSite, labelled, aggregator, tower } = chooseVictims(topology)
  const at = (day: number, minutes: number, deed: Deed | undefined): PlannedStep[] =>
    deed === undefined ? [] : [{ atMs: dayAt(day) + minutes * minute, ...deed }]
  const during = (day: number, from: number, until: number) => (kind: 'cut' | 'power', target: Target | undefined) =>
    at(day, from, target && { kind, target, untilMs: dayAt(day) + until * minute })
  const clock = (day: number, [from, until]: readonly [number, number], readsMs: number, target: Target | undefined) =>
    at(day, from, target && { kind: 'clock', target, readsMs, untilMs: dayAt(day) + until * minute })
  const zoneTargets = zones(topology).flatMap(({ path }) => (path === '/' ? [] : (findTarget(topology, path) ?? [])))
  const siteTargets = sites(topology).flatMap(({ name, type }) =>
    type === 'edge' ? (findTarget(topology, name) ?? []) : [],
  )
  const steps: readonly PlannedStep[] = [
    ...inTurn(zoneTargets, 1),
    ...inTurn(siteTargets, 2),
    ...during(3, 2, 14)('cut', zone),
    ...at(3, 5, { kind: 'upgrade', version: '2' }),
    ...during(4, 1, 4)('power', site),
    ...during(4, 6, 10)('power', otherZone),
    ...during(4, 12, 15)('power', tower),
    ...during(5, 1, 9)('cut', otherSite),
    ...at(5, 4, { kind: 'rollback', version: undefined }),
    ...at(5, 13, { kind: 'upgrade', version: '3' }),
    ...at(5, 15, labelled && { kind: 'label', target: labelled, untilMs: dayAt(5) + 18 * minute }),
    ...clock(6, [1, 12], year1970, site),
    ...clock(6, [2, 12], tenYearsOn, aggregator),
    ...at(6, 5, { kind: 'upgrade', version: '4' }),
  ]
  const days: Day[] = titles.map((title, index) => ({ fromMs: dayAt(index + 1), title }))
  return {
    name: 'the built-in week',
    lastsMs: titles.length * dayMs,
    convergeMs: 5 * minute,
    quietMs: 5 * minute,
    days: zoneTargets.length > 0 ? days : days.map((day, index) => (index === 0 ? { ...day, title: titles[6] } : day)),
    steps: steps.toSorted((a, b) => a.atMs - b.atMs),
    leftOut: labelled ? [] : ['a change of labels: no site shows its labels to the tower'],
  }
}
