import type { ConflictView } from '../../node/api/index.ts'
import { bodiesOf, cutAggregator, cutZone, sitesIn } from './cut-off.ts'
import {
  answered,
  applyShop,
  type DemoStep,
  greetingOf,
  isSame,
  linked,
  must,
  type Pids,
  pidsNow,
  pidsOfSites,
  settledSites,
} from './step.ts'
import type { World } from './world.ts'

/** What the tower wants while north is away, and what north wants. */
const [towerVersion, northVersion] = ['2', 'north-2']
const northGreeting = 'hello from north, which decided this by itself'

const othersThan = (world: World, sites: readonly string[]): readonly string[] =>
  world.sites().filter((site) => !sites.includes(site))

export const twoChanges: DemoStep = {
  name: 'two-changes',
  brief: 'tower and north change the same application, each its own way',
  proves:
    'while north is cut off, the tower and north change the same application, each with the same command and differently; each side runs what its own operators want',
  run: async (world) => {
    const sites = sitesIn(world, cutZone)
    await applyShop(world, towerVersion)
    await applyShop(world, northVersion, { at: cutAggregator, greeting: northGreeting })
    const outside = await settledSites(world, towerVersion, othersThan(world, sites), 60_000)
    const inside = await settledSites(world, northVersion, sites, 60_000)
    const cable = world.cable(cutAggregator).seen()
    must(cable.cut, 'the cable is not cut any more')
    return {
      cable,
      commands: [
        `skerry apply -f shop-${towerVersion}.yaml`,
        `skerry --node ${cutAggregator} apply -f shop-${northVersion}.yaml`,
      ],
      bodies: {
        ...(await bodiesOf(world, sites, northGreeting)),
        ...(await bodiesOf(world, Object.keys(outside), greetingOf(towerVersion))),
      },
      pids: pidsOfSites({ ...inside, ...outside }),
    }
  },
}

/** The conflict about the shop as a node tells it, with both words known. */
const conflictAt = (world: World, node: string): Promise<ConflictView> =>
  world.until(`${node} to show both words`, 60_000, async () => {
    const all = await world.get<readonly ConflictView[]>(world.named(node), '/v1/state/conflicts')
    const found = all.find(({ application, scope }) => application === 'shop' && scope === cutZone)
    return found?.candidates.every(({ version }) => version !== undefined) ? found : undefined
  })

const wordsOf = ({ candidates }: ConflictView) =>
  candidates.map(({ id, scope, by, version, revision, sites, runs }) => ({
    id,
    of: scope,
    by,
    version,
    revision: revision?.slice(0, 16),
    'runs-at': sites,
    runs,
  }))

const statusLines = async (world: World, node: string): Promise<readonly string[]> =>
  (await world.skerry(['--node', node, 'status', 'shop'])).stdout.split('\n').filter((line) => /conflict/i.test(line))

/** Waits for what both sides know, and looks at the processes again and again until then. */
const healed = async (world: World, before: Readonly<Record<string, Pids>>) => {
  const unchanged = async () => {
    const now = await pidsNow(world, world.sites())
    must(isSame(now, before), `something was restarted: ${JSON.stringify([before, now])}`)
    return now
  }
  world.cable(cutAggregator).heal()
  await linked(world, world.named(cutAggregator))
  await unchanged()
  const [tower, north] = [await conflictAt(world, 'tower'), await conflictAt(world, cutAggregator)]
  const said = await world.until('status to show the conflict', 30_000, async () => {
    const lines = { tower: await statusLines(world, 'tower'), [cutAggregator]: await statusLines(world, cutAggregator) }
    return Object.values(lines).every((one) => one.length > 0) ? lines : undefined
  })
  return { tower, north, said, pids: await unchanged() }
}

export const conflictSettled: DemoStep = {
  name: 'conflict-settled',
  brief: 'healed: nothing mixed or restarted until one command settles it',
  proves:
    'healed, the two whole revisions are a conflict that status shows at both ends: nothing was mixed, every site kept what it ran, and no container is restarted until one command settles it; then the chosen one runs everywhere',
  run: async (world) => {
    const sites = sitesIn(world, cutZone)
    const before = await pidsNow(world, world.sites())
    const { tower, north, said, pids } = await healed(world, before)
    const versions = north.candidates.map(({ version }) => version).toSorted()
    must(isSame(versions, [towerVersion, northVersion].toSorted()), `the words are ${versions.join(' and ')}`)
    const bodies = await bodiesOf(world, sites, northGreeting)
    const command = ['conflicts', 'settle', 'shop', '--take', 'above', '--zone', cutZone]
    const settled = (await world.skerry(command)).stdout.trim()
    const after = await settledSites(world, towerVersion, world.sites(), 60_000)
    const untouched = othersThan(world, sites)
    const outside = pidsOfSites(Object.fromEntries(untouched.map((site) => [site, after[site] ?? []])))
    must(
      untouched.every((site) => isSame(outside[site], before[site])),
      `something was restarted outside of north: ${JSON.stringify([before, outside])}`,
    )
    const chosen: Record<string, string> = {}
    for (const site of world.sites()) chosen[site] = await answered(world, after[site] ?? [], greetingOf(towerVersion))
    await world.until('no conflict any more', 30_000, async () => {
      const left = await Promise.all(
        ['tower', cutAggregator].map((node) =>
          world.get<readonly ConflictView[]>(world.named(node), '/v1/state/conflicts'),
        ),
      )
      return left.flat().length === 0 ? true : undefined
    })
    return {
      cable: world.cable(cutAggregator).seen(),
      'status-shows': said,
      'words-at-north': wordsOf(north),
      'words-at-the-tower': wordsOf(tower),
      'runs-until-it-is-settled': bodies,
      'pids-from-heal-to-settle': { before, after: pids },
      command: `skerry ${command.join(' ')}`,
      settled,
      'then-everywhere': chosen,
    }
  },
}
