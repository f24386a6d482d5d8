import { answered, type DemoStep, edgesBelow, greetingOf, isSame, must, nodeView, pidsNow } from './step.ts'
import type { World } from './world.ts'

export const cutZone = '/north'
export const cutAggregator = 'north-aggregator'

export const sitesIn = (world: World, zone: string): readonly string[] => [
  ...new Set(edgesBelow(world, zone).map(({ site }) => site)),
]

/** Waits until a node has noticed that its parent is silent. */
export const noticedCut = (world: World, name: string) =>
  world.until(`${name} to notice that its parent is gone`, 60_000, async () => {
    const { parent } = await nodeView(world, world.named(name))
    return parent?.link === 'down' ? parent : undefined
  })

/** What the shop of these sites answers to HTTP now. */
export const bodiesOf = async (world: World, sites: readonly string[], text: string) =>
  Object.fromEntries(
    await Promise.all(
      sites.map(async (site) => [site, await answered(world, await world.instances('shop', site), text)]),
    ),
  )

export const cutOff: DemoStep = {
  name: 'cut-off',
  brief: 'the cable between tower and north is pulled; applications run on',
  proves:
    'the cable between the tower and north is pulled, outside of the program: every application of the zone goes on with the same processes, and both ends say what they know and since when',
  run: async (world) => {
    const sites = sitesIn(world, cutZone)
    const before = await pidsNow(world, sites)
    const cable = world.cable(cutAggregator)
    cable.cut()
    const link = await noticedCut(world, cutAggregator)
    const bodies = await bodiesOf(world, sites, greetingOf('1'))
    const after = await pidsNow(world, sites)
    must(isSame(after, before), `something was restarted: ${JSON.stringify([before, after])}`)
    const inside = (await world.skerry(['--node', cutAggregator, 'tree'])).stdout.split('\n')[0]
    const outside = (await world.skerry(['tree'])).stdout.split('\n').find((line) => line.includes(cutAggregator))
    return {
      cable: cable.seen(),
      'north-says': { link: link.link, error: link.error, tree: inside?.trim() },
      'the-tower-says': outside?.trim(),
      bodies,
      pids: { before, 'cut-off': after },
    }
  },
}
