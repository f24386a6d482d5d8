import {
  answered,
  applyShop,
  type DemoStep,
  greetingOf,
  isSame,
  must,
  nodeView,
  pidsNow,
  pidsOfSites,
  settled,
  settledSites,
  standingVersion,
  zoneAbove,
} from './step.ts'
import { nextVersion } from './upgrade.ts'
import type { DemoNode, World } from './world.ts'

/** The site to block: another one in the zone of the first. */
const victimOf = (world: World): DemoNode | undefined => {
  const first = world.node('edge')
  return world
    .nodes()
    .find((one) => one.role === 'edge' && one.site !== first.site && zoneAbove(one.scope) === zoneAbove(first.scope))
}

const refused = (world: World, node: DemoNode) =>
  world.until(`${node.name} refused as blocked`, 30_000, async () => {
    const { parent } = await nodeView(world, node)
    return parent?.link === 'down' && parent.refusal === 'blocked' ? parent : undefined
  })

export const blockedSite: DemoStep = {
  name: 'blocked-site',
  brief: 'gets nothing more; let in again, it catches up',
  proves:
    'a blocked site gets nothing more while all others go on, what runs there runs on untouched, and once it is allowed again it catches up by itself',
  unproven: (world) => (victimOf(world) ? undefined : 'the zone of the first site has no other site'),
  run: async (world) => {
    const victim = victimOf(world) as DemoNode
    const { site } = victim
    const standing = await standingVersion(world)
    const others = world.sites().filter((one) => one !== site)
    const before = pidsOfSites(await settledSites(world, standing, [site]))
    const said = (await world.skerry(['hosts', 'block', '--site', site])).stdout.split('\n')
    const link = await refused(world, victim)
    await applyShop(world, nextVersion)
    const moved = await settledSites(world, nextVersion, others)
    const kept = pidsOfSites({ [site]: await settled(world, standing, { site }) })
    must(isSame(kept, before), `something was restarted at ${site}: ${JSON.stringify([before, kept])}`)
    must((await nodeView(world, victim)).parent?.link === 'down', `${site} is linked although it is blocked`)
    await world.skerry(['hosts', 'allow', '--site', site])
    // It calls again after a wait that grew while it was refused.
    const caughtUp = await settled(world, nextVersion, { site, timeoutMs: 60_000 })
    const body = await answered(world, caughtUp, greetingOf(nextVersion))
    await world.skerry(['rollback', 'shop-everywhere'])
    await settledSites(world, standing, world.sites())
    return {
      site,
      said: said.filter((line) => line.endsWith(': blocked')),
      link: { state: link.link, refusal: link.refusal, error: link.error },
      versions: { [site]: standing, ...Object.fromEntries(others.map((one) => [one, nextVersion])) },
      pids: { before: before[site], blocked: kept[site] },
      'others-moved': pidsOfSites(moved),
      'allowed-again': { body, pids: (await pidsNow(world, [site]))[site] },
    }
  },
}
