import { ancestorsOf, nodesOf, sites, type Topology } from '../../topologies/index.ts'
import { type CanaryRegister, canaryOf, thingOf } from './canaries.ts'
import { applications, sitesFor } from './specifications.ts'

/** A site of a topology file whose name, hosts and labels are marked. */
export const siteText = (thing: string, hosts: readonly string[], tier: 'gold' | 'iron'): string =>
  [
    `- name: ${canaryOf(thing)}`,
    `  labels: { tier: ${tier}, secret: ${canaryOf(`${thing}label`)} }`,
    `  hosts: [${hosts.map((host) => `{ name: ${canaryOf(host)} }`).join(', ')}]`,
  ].join('\n')

const indent = (text: string, by: number) => text.replaceAll(/^/gm, ' '.repeat(by))

/** A zone of a topology file with one aggregator of its name. */
export const zoneText = (
  name: string,
  places: readonly string[],
  {
    zones = [],
    privacy = false,
    aggregators = [name],
  }: { readonly zones?: readonly string[]; readonly privacy?: boolean; readonly aggregators?: readonly string[] } = {},
): string =>
  [
    `- name: ${name}`,
    ...(privacy ? ['  privacy: true'] : []),
    '  aggregators:',
    `    hosts: [${aggregators.map((host) => `{ name: ${host} }`).join(', ')}]`,
    ...(places.length > 0 ? ['  sites:', ...places.map((text) => indent(text, 4))] : []),
    ...(zones.length > 0 ? ['  zones:', ...zones.map((text) => indent(text, 4))] : []),
  ].join('\n')

/** A topology file with one tower. */
export const topologyText = (name: string, places: readonly string[], zones: readonly string[]): string =>
  [
    'version: 1',
    `network: ${name}`,
    'towers:',
    '  site: head',
    '  hosts: [{ name: tower }]',
    ...(places.length > 0 ? ['sites:', ...places.map((text) => indent(text, 2))] : []),
    ...(zones.length > 0 ? ['zones:', ...zones.map((text) => indent(text, 2))] : []),
    '',
  ].join('\n')

/**
 * Says of everything that is marked who may hold it. A site's is its own machines' and those of the zones around it, up
 * to the first that keeps names back; an application's is the towers', the zones' and the sites' it goes to.
 * @param privateZones paths of the zones that keep the names of their sites back
 */
export const markTopology = (canaries: CanaryRegister, topology: Topology, privateZones: readonly string[]): void => {
  const nodes = nodesOf(topology)
  for (const { name, path, hosts, type } of sites(topology)) {
    if (type !== 'edge') continue
    const around: readonly string[] = ancestorsOf(path)
    const border = around.findIndex((zone) => privateZones.includes(zone))
    const readers = border < 0 ? around : around.slice(0, border + 1)
    const holders = nodes
      .filter(({ role, scope }) => (role === 'edge' ? scope === path : readers.includes(scope)))
      .map((node) => node.name)
    for (const thing of [name, ...hosts.map((host) => host.name)]) canaries.add(thingOf(thing), holders)
    canaries.add(`${thingOf(name)}label`, holders)
  }
  for (const application of applications) {
    const thing = thingOf(application.name)
    const goesTo = sitesFor(topology, application, '/')
    if (thing !== '')
      canaries.add(
        thing,
        nodes.filter(({ role, site }) => role !== 'edge' || goesTo.has(site ?? '')).map(({ name }) => name),
      )
  }
}
