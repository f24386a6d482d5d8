import type { ApplicationStateView } from '../../node/api/index.ts'
import { answered, type DemoStep, must, settled, webPort, zoneAbove } from './step.ts'
import type { World } from './world.ts'

/** Zones whose names end the tower's tree, and what it says there. */
const borders = async (world: World): Promise<Readonly<Record<string, string>>> => {
  const lines = (await world.skerry(['tree'])).stdout.split('\n').filter((line) => line.includes('beyond here'))
  return Object.fromEntries(lines.map((line) => [/border \S+\s+(\S+)/.exec(line)?.[1] ?? '', line.trim()]))
}

/** What the tower knows of the shop in a zone that lets out counts alone: who is ready of who is wanted. */
const countsAt = (world: World, zone: string): Promise<string> =>
  world.until(`counts of ${zone} at the tower`, 30_000, async () => {
    const shop = await world.get<ApplicationStateView>(world.node('tower'), '/v1/state/applications/shop')
    must(
      shop.sites.every(({ site }) => zoneAbove(scopeOf(world, site)) !== zone),
      `the tower names a site of ${zone}`,
    )
    const row = shop.zones?.find((one) => one.zone === zone && one.version === '1')
    const isWhole = row !== undefined && row.wanted.count > 0 && row.ready.count === row.wanted.count
    return isWhole ? `${row.ready.count} of ${row.wanted.count} ready (${row.note})` : undefined
  })

const scopeOf = (world: World, site: string): string => world.hostsOf(site)[0]?.scope ?? ''

export const everySiteAnswers: DemoStep = {
  name: 'http-at-every-site',
  brief: 'an answer at a port of each site',
  proves:
    'a container of every site answers an HTTP request at a port of its host, also where the zone lets nobody look inside: there the tower has counts and no names, and asks no host',
  run: async (world) => {
    const sites: Record<string, unknown> = {}
    for (const site of world.sites()) {
      const instances = await settled(world, '1', { site, timeoutMs: 60_000 })
      const body = await answered(world, instances, 'hello from shop version 1')
      sites[scopeOf(world, site)] = { port: webPort(instances), body }
    }
    const ends = await borders(world)
    const counts: Record<string, string> = {}
    for (const zone of Object.keys(ends)) counts[zone] = await countsAt(world, zone)
    return { sites, 'tree-ends': ends, 'counts-at-the-tower': counts }
  },
}
