import { shopDeployment, shopSpecification } from './shop.ts'
import {
  answered,
  type DemoStep,
  edgesBelow,
  endNode,
  file,
  isSame,
  linked,
  must,
  nodeView,
  parentNode,
  pidsOfSites,
  settledSites,
} from './step.ts'
import { certificateOnDisk } from './stolen-disk.ts'
import type { DemoNode, World } from './world.ts'

const zoneNode = (world: World): DemoNode | undefined => {
  const parent = parentNode(world, world.node('edge'))
  return parent?.role === 'aggregator' ? parent : undefined
}

export const aggregatorReplaced: DemoStep = {
  name: 'aggregator-replaced',
  proves:
    'an aggregator killed in the middle of a change takes nothing down; started again from its own disk it is the same member as before, its sites come back by themselves, and the change arrives',
  unproven: (world) => (zoneNode(world) ? undefined : 'the first site hangs under the tower itself'),
  run: async (world) => {
    const aggregator = zoneNode(world) as DemoNode
    const edges = edgesBelow(world, aggregator.scope)
    const sites = [...new Set(edges.map(({ site }) => site))]
    const before = pidsOfSites(await settledSites(world, '1', sites))
    const { fingerprint } = await nodeView(world, aggregator)
    const two = file(world, 'shop-2.yaml', `${shopSpecification('2', world.driver)}---\n${shopDeployment('2')}`)
    const applied = world.skerry(['apply', '-f', two])
    // Both are waited for, so that a failure of one does not leave the other behind.
    const [killed, change] = await Promise.allSettled([endNode(world, aggregator, 'SIGKILL'), applied])
    if (killed.status === 'rejected') throw killed.reason
    if (change.status === 'rejected') throw change.reason
    const certificate = await certificateOnDisk(world.home, aggregator)
    const alone = pidsOfSites(await settledSites(world, '1', sites))
    must(isSame(alone, before), `something was restarted: ${JSON.stringify([before, alone])}`)
    await world.upOnly(aggregator.name)
    const again = world.named(aggregator.name)
    const self = await linked(world, again)
    must(self.fingerprint === fingerprint, 'the aggregator came back with another key')
    for (const edge of edges) await linked(world, edge)
    const after = await settledSites(world, '2', world.sites())
    const bodies: Record<string, string> = {}
    for (const site of sites) bodies[site] = await answered(world, after[site] ?? [], 'hello from shop version 2')
    await world.skerry(['rollback', 'shop-everywhere'])
    await settledSites(world, '1', world.sites())
    return {
      killed: aggregator.name,
      process: [aggregator.pid, again.pid],
      fingerprint: [fingerprint, self.fingerprint],
      certificate,
      parent: self.parent?.node,
      'pids-while-it-was-dead': { before, alone },
      linked: edges.map(({ name }) => name),
      bodies,
    }
  },
}
