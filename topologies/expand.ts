import { type Name, namePattern, type ScopePath } from '../base/index.ts'
import { addressProblem } from './addresses.ts'
import type { FieldPath } from './field-path.ts'
import { isReservedLabel, labelKeyProblem, labelValueProblem } from './labels.ts'
import { fillTemplate, parsePattern, type TemplateValues } from './pattern.ts'
import { levelsOf, type PolicyLevel, policyKinds, resolvePolicy, type ZonePolicy } from './policy.ts'
import { createRegister, type Register, type Report } from './register.ts'
import { type Host, type Labels, type Site, type Topology, topologyLimits, type Zone } from './topology.ts'

type Draft = Readonly<Record<string, unknown>>

/** A piece of the file together with where it stands and what its templates may use. */
interface Place {
  readonly draft: Draft
  readonly at: FieldPath
  readonly values: TemplateValues
}

const isMap = (value: unknown): value is Draft => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The maps of a list, with their places. What has another shape was reported by the schema and is passed over. */
const listOf = ({ draft, at, values }: Place, key: string): Place[] => {
  const items = draft[key]
  if (!Array.isArray(items)) return []
  return items.flatMap((item: unknown, index) =>
    isMap(item) ? [{ draft: item, at: [...at, key, index], values }] : [],
  )
}

const mapOf = ({ draft, at, values }: Place, key: string): Place => {
  const item = draft[key]
  return { draft: isMap(item) ? item : {}, at: [...at, key], values }
}

/**
 * Writes out the patterns of a topology and checks what its fields say. Goes on past every problem, so that all are
 * reported at once; the result is of use only when none was.
 */
export const expandTopology = (
  draft: unknown,
  context: { readonly report: Report; readonly lineOf: (path: FieldPath) => number },
): Topology => {
  const register = createRegister(context.report, context.lineOf)
  const top: Place = { draft: isMap(draft) ? draft : {}, at: [], values: {} }
  const towers = mapOf(top, 'towers')
  const hosts = hostsOf(towers, register)
  const [site] = namesOf(towers, 'site', register)
  if (site !== undefined) register.claimSite(site.name as Name, `/${site.name}` as ScopePath, [...towers.at, 'site'])
  const topSite: Site[] =
    site === undefined ? [] : [{ ...scopeOf('/', site.name), type: 'top', labels: labelsOf(towers, register), hosts }]
  const [network] = namesOf(top, 'network', register)
  return {
    network: (network?.name ?? '') as Name,
    root: {
      path: '/' as ScopePath,
      labels: {},
      privacy: false,
      policy: resolvePolicy({}, false).policy,
      settle: 'zone',
      hosts,
      addresses: addressesOf(towers, register),
      zones: listOf(top, 'zones').flatMap((place) => zonesOf(place, '/', 1, register)),
      sites: [...topSite, ...listOf(top, 'sites').flatMap((place) => sitesOf(place, '/', register))],
    },
  }
}

const scopeOf = (parent: string, name: string): { name: Name; path: ScopePath } => ({
  name: name as Name,
  path: `${parent === '/' ? '' : parent}/${name}` as ScopePath,
})

/** The names of a place, or one made up where they are in doubt, so that what stands inside is checked all the same. */
const namesOrOne = (place: Place, kind: 'zones' | 'sites' | 'hosts', register: Register) => {
  const names = namesOf(place, 'name', register, kind)
  return names.length > 0 ? names : [{ name: place.at.join('-'), n: '1', unknown: true }]
}

/** Every name a pattern stands for, where each is one and the register has room for them. */
const namesOf = (
  { draft, at, values }: Place,
  key: string,
  register: Register,
  kind?: 'zones' | 'sites' | 'hosts',
): { name: string; n?: string; unknown?: boolean }[] => {
  const text = draft[key]
  if (typeof text !== 'string') return []
  const path = [...at, key]
  const pattern = parsePattern(text, values)
  if ('problem' in pattern) {
    register.report(path, pattern.problem.message, pattern.problem.suggestion)
    return []
  }
  if (kind === undefined ? pattern.value.count > 1 : !register.takeRoom(kind, pattern.value.count, path)) {
    if (kind === undefined) register.report(path, 'a range has no place here', 'write one name')
    return []
  }
  const names = [...pattern.value.names()]
  const bad = names.find(({ name }) => !namePattern.test(name))
  if (bad === undefined) return names
  const found = bad.name === text ? JSON.stringify(text.slice(0, 80)) : `${JSON.stringify(bad.name)}, made from it,`
  register.report(
    path,
    `${found} is not a name`,
    'use lower-case letters, digits and inner dashes, at most 63 characters',
  )
  return []
}

const zonesOf = (place: Place, parent: string, depth: number, register: Register): Zone[] => {
  if (depth > topologyLimits.zoneDepth) {
    register.report(place.at, `zones are nested deeper than ${topologyLimits.zoneDepth}`, 'flatten the tree')
    return []
  }
  return namesOrOne(place, 'zones', register).map(({ name, n, unknown }) => {
    const { path } = scopeOf(parent, name)
    if (!unknown) register.claimScope(path, [...place.at, 'name'])
    const inside: Place = { ...place, values: { ...place.values, zone: name, ...(n === undefined ? {} : { n }) } }
    const aggregators = mapOf(inside, 'aggregators')
    checkWithheld(inside, register)
    return {
      path,
      labels: labelsOf(inside, register),
      privacy: place.draft.privacy === true,
      policy: policyOf(inside, register),
      settle: place.draft.settle === 'ancestor' ? 'ancestor' : 'zone',
      ...(place.draft.withheld === true && { withheld: true as const }),
      hosts: hostsOf(aggregators, register),
      addresses: addressesOf(aggregators, register),
      zones: listOf(inside, 'zones').flatMap((child) => zonesOf(child, path, depth + 1, register)),
      sites: listOf(inside, 'sites').flatMap((child) => sitesOf(child, path, register)),
    }
  })
}

/** Slices hold zones of which only the border is known; every other zone has aggregators. */
const checkWithheld = ({ draft, at }: Place, { report }: Register): void => {
  if (draft.withheld !== true) {
    if (draft.aggregators === undefined)
      report([...at, 'aggregators'], 'is missing', 'name its hosts, like hosts: [{ name: north-aggregator }]')
    return
  }
  for (const key of ['labels', 'zones', 'sites'])
    if (draft[key] !== undefined)
      report([...at, key], 'is not known of a zone that is withheld', 'leave it out, or leave withheld out')
}

const policyOf = (place: Place, register: Register): ZonePolicy => {
  const written = mapOf(place, 'policy')
  const levels = policyKinds.filter((kind) => levelsOf(kind).includes(written.draft[kind] as PolicyLevel))
  const { policy, clashes } = resolvePolicy(
    Object.fromEntries(levels.map((kind) => [kind, written.draft[kind] as PolicyLevel])),
    place.draft.privacy === true,
  )
  for (const { kind, needs, instead } of clashes)
    register.report(
      [...written.at, kind],
      `all carries ${needs}, which this zone keeps back`,
      `write ${needs}: all as well, or ${kind}: ${instead}`,
    )
  return policy
}

const sitesOf = (place: Place, parent: string, register: Register): Site[] =>
  namesOrOne(place, 'sites', register).map(({ name, n, unknown }) => {
    const scope = scopeOf(parent, name)
    if (!unknown) register.claimSite(scope.name, scope.path, [...place.at, 'name'])
    const inside: Place = { ...place, values: { ...place.values, site: name, ...(n === undefined ? {} : { n }) } }
    const hosts = hostsOf(inside, register)
    const siblings = siblingsOf(inside, hosts, register)
    return {
      ...scope,
      type: 'edge',
      labels: labelsOf(inside, register),
      hosts,
      ...(siblings.length > 0 && { siblings }),
    }
  })

const hostsOf = (place: Place, register: Register): Host[] =>
  listOf(place, 'hosts').flatMap((host) =>
    namesOrOne(host, 'hosts', register).map(({ name, n, unknown }) => {
      if (!unknown) register.claimHost(name, [...host.at, 'name'])
      const inside: Place = { ...host, values: { ...host.values, ...(n === undefined ? {} : { n }) } }
      const hostId = textOf(inside, ['host-id'], host.draft['host-id'], register)
      if (hostId !== undefined) register.claimHostId(hostId, [...host.at, 'host-id'])
      return { name: name as Name, ...(hostId === undefined ? {} : { hostId }), labels: labelsOf(inside, register) }
    }),
  )

const textOf = ({ at, values }: Place, field: FieldPath, text: unknown, register: Register): string | undefined => {
  if (typeof text !== 'string') return undefined
  const filled = fillTemplate(text, values)
  if ('value' in filled) return filled.value
  register.report([...at, ...field], filled.problem.message, filled.problem.suggestion)
  return undefined
}

const labelsOf = (place: Place, register: Register): Labels => {
  const labels: Record<string, string> = {}
  for (const [key, written] of Object.entries(mapOf(place, 'labels').draft)) {
    const field = ['labels', key]
    const keyProblem = labelKeyProblem(key)
    if (keyProblem !== undefined) register.report([...place.at, ...field], keyProblem, 'like shop.example/size')
    else if (isReservedLabel(key))
      register.report([...place.at, ...field], 'labels of system/ are given by the system', 'use a prefix of your own')
    const value = textOf(place, field, typeof written === 'boolean' ? String(written) : written, register)
    if (value === undefined) continue
    const valueProblem = labelValueProblem(value)
    if (valueProblem !== undefined) register.report([...place.at, ...field], valueProblem, 'shorten it')
    labels[key] = value
  }
  return labels
}

/** The first address is that of the first host. */
const siblingsOf = (place: Place, hosts: readonly Host[], register: Register): string[] => {
  const addresses = addressesOf(place, register, 'siblings')
  if (addresses.length > hosts.length)
    register.report(
      [...place.at, 'siblings', hosts.length],
      `is the address of no host: the site has ${hosts.length}`,
      'write one address for each host, in the order of the hosts',
    )
  return addresses
}

const addressesOf = (place: Place, register: Register, key: 'addresses' | 'siblings' = 'addresses'): string[] => {
  const written = place.draft[key]
  if (!Array.isArray(written)) return []
  return written.flatMap((text: unknown, index) => {
    const address = textOf(place, [key, index], text, register)
    if (address === undefined) return []
    const problem = addressProblem(address)
    if (problem !== undefined) register.report([...place.at, key, index], problem.message, problem.suggestion)
    return [address]
  })
}
