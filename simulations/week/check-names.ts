import { nodesOf, sites, type Topology, type Zone, zones } from '../../topologies/index.ts'
import type { Observer } from '../world/index.ts'
import type { CheckRow } from './record.ts'

/** A shorter name turns up in bytes by chance. */
const shortestName = 4

/** What a zone keeps back of itself: names of the zones, sites and hosts in it, its own aggregators left out. */
const namesInside = (zone: Zone): readonly string[] => [
  ...zone.sites.flatMap((site) => [site.name, ...site.hosts.map((host) => host.name)]),
  ...zone.zones.flatMap((inner) => [
    inner.path.slice(inner.path.lastIndexOf('/') + 1),
    ...inner.hosts.map((host) => host.name),
    ...namesInside(inner),
  ]),
]

const isWithin = (scope: string, zone: string): boolean => scope === zone || scope.startsWith(`${zone}/`)

/** Names no machine of a scope may be sent, each scope worked out once. Names that stand in what is public are left out. */
const forbiddenNames = (topology: Topology): ((scope: string) => readonly string[]) => {
  const closed = zones(topology).filter(({ path, policy }) => path !== '/' && policy.names !== 'all')
  const kept = closed.map((zone) => ({ path: zone.path as string, names: namesInside(zone) }))
  const secret = new Set(kept.flatMap(({ names }) => names))
  const open = [
    topology.network as string,
    ...zones(topology).map(({ path }) => path.slice(path.lastIndexOf('/') + 1)),
    ...sites(topology).flatMap(({ name, labels }) => [name, ...Object.entries(labels).flat()]),
    ...nodesOf(topology).map(({ name }) => name as string),
    ...zones(topology).flatMap(({ labels, addresses }) => [...Object.entries(labels).flat(), ...addresses]),
  ].filter((text) => !secret.has(text))
  const telling = (name: string) => name.length >= shortestName && !open.some((text) => text.includes(name))
  const worth = new Map([...secret].map((name) => [name, telling(name)]))
  return (scope) => [
    ...new Set(
      kept.flatMap(({ path, names }) => (isWithin(scope, path) ? [] : names.filter((name) => worth.get(name)))),
    ),
  ]
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

export interface Check {
  readonly observer: Observer
  row(): CheckRow
}

/**
 * Searches all that arrives at a machine for names of a zone that keeps its names back, in plain bytes: what is sealed
 * or compressed is not opened.
 */
export const checkNames = (topology: Topology): Check => {
  const forbidden = forbiddenNames(topology)
  const scopeOf = new Map(nodesOf(topology).map(({ name, scope }) => [name as string, scope as string]))
  const patterns = new Map<string, RegExp | undefined>()
  const patternFor = (machine: string): RegExp | undefined => {
    const scope = scopeOf.get(machine) ?? '/'
    if (!patterns.has(scope)) {
      // The longest first: a name may begin with another.
      const names = forbidden(scope).toSorted((a, b) => b.length - a.length)
      patterns.set(scope, names.length === 0 ? undefined : new RegExp(names.map(escaped).join('|')))
    }
    return patterns.get(scope)
  }
  const decoder = new TextDecoder('latin1')
  const violations = new Set<string>()
  let judged = 0
  return {
    observer: {
      frame: ({ from, to, frame }) => {
        const pattern = patternFor(to)
        if (!pattern || frame.payload.byteLength < shortestName) return
        judged++
        const found = pattern.exec(decoder.decode(frame.payload))?.[0]
        if (found !== undefined) violations.add(`${to} was sent the name ${found} by ${from}, and may not have it`)
      },
    },
    row: () => ({
      invariant: 1,
      sentence: 'no name leaves a zone that keeps its names back',
      judged,
      violations: [...violations],
    }),
  }
}
