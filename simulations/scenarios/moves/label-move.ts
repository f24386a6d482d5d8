import { sites, type Topology, type Zone, zones } from '../../../topologies/index.ts'
import { thingOf } from '../canaries.ts'
import { applications, deploymentOf } from '../specifications.ts'
import type { MakeMove } from './move.ts'

/** The same tree, with another value of a label at one site. */
const withLabel = (topology: Topology, site: string, key: string, value: string): Topology => {
  const changed = (zone: Zone): Zone => ({
    ...zone,
    zones: zone.zones.map(changed),
    sites: zone.sites.map((one) =>
      (one.name as string) === site ? { ...one, labels: { ...one.labels, [key]: value } } : one,
    ),
  })
  return { ...topology, root: changed(topology.root) }
}

/**
 * A site gets another label by a changed topology file, as with `skerry up`: whoever reads of the site in it starts anew.
 * What goes by the label comes to the site or leaves it.
 */
export const relabel: MakeMove = ({ scene: { world, ledger, canaries }, tower, acknowledge }) => ({
  begin: (random) => {
    const hidden = zones(world.topology).filter(({ policy }) => policy.names !== 'all')
    const seen = sites(tower.topology()).filter(
      ({ type, path }) => type === 'edge' && !hidden.some((zone) => path.startsWith(`${zone.path}/`)),
    )
    const site = seen[Math.floor(random.unit() * seen.length)]
    if (!site || !tower.free()) return false
    const tier = site.labels.tier === 'gold' ? 'iron' : 'gold'
    const topology = withLabel(tower.topology(), site.name, 'tier', tier)
    tower.giveTopology(topology)
    world.note(`operator gives ${site.name} the label tier ${tier}`)
    for (const application of applications) {
      if (application.siteLabels.tier === undefined) continue
      const deployment = deploymentOf(application)
      const wishes = ledger.candidates(deployment).map(({ version }) => tower.wish(application, version))
      ledger.ask({ deployment, wishes, within: undefined }, world.nowMs()).answer('acknowledged', world.nowMs())
      const thing = thingOf(application.name)
      const hosts = tier === application.siteLabels.tier ? site.hosts.map(({ name }) => name as string) : []
      if (thing !== '') canaries.add(thing, hosts)
    }
    for (const machine of world.machines) {
      const { role, scope } = machine.place
      if (role === 'edge' || !(scope === '/' || site.path.startsWith(`${scope}/`))) continue
      machine.giveTopology(topology)
      if (!machine.isRunning()) continue
      machine.crash('kill')
      machine.start()
    }
    acknowledge('relabel')
    return true
  },
})
