import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { shopArchive } from './shop.ts'
import {
  answered,
  applyShop,
  type DemoStep,
  endNode,
  file,
  greetingOf,
  linked,
  must,
  nodeView,
  pidsOf,
  settled,
  settledSites,
  standingVersion,
} from './step.ts'
import type { World } from './world.ts'

const missed = { version: '4', image: 'demo/shop:2' }
const away = { site: 's2', host: 's2-a', sibling: 's1-a', parent: 'south-aggregator' }
const depositMs = 30_000

/** Names of the files in which a host keeps images and specifications: what they hold, by its hash. */
const blobsOf = (world: World, name: string): readonly string[] =>
  readdirSync(join(world.named(name)['data-dir'], 'data', 'archives'), { recursive: true }).map(String)

const missRevision = async (world: World): Promise<readonly string[]> => {
  await endNode(world, world.named(away.host), 'SIGTERM')
  const blobs = blobsOf(world, away.host)
  const archive = file(world, 'shop-image-2.tar', await shopArchive(missed.image, 'a layer of its own\n'))
  await applyShop(world, missed.version, { image: missed.image, archive })
  await settledSites(
    world,
    missed.version,
    world.sites().filter((site) => site !== away.site),
    60_000,
  )
  await world.until(`${away.parent} to leave with siblings what ${away.site} missed`, depositMs, async () => {
    const { deposits } = await nodeView(world, world.named(away.parent))
    return deposits?.owed.every((scope) => !scope.endsWith(`/${away.site}`)) || undefined
  })
  return blobs
}

export const fromSibling: DemoStep = {
  name: 'from-a-sibling',
  brief: 's2 gets a missed revision and its layers from s1',
  proves:
    "s2 is away when a new revision with a new image arrives, and when it is back the aggregator of its zone is stopped: it gets the signed revision and the image's layers from s1, and runs them",
  run: async (world) => {
    const standing = await standingVersion(world)
    const before = pidsOf(await settled(world, standing, { site: away.site }))
    const blobs = await missRevision(world)
    await endNode(world, world.named(away.parent), 'SIGTERM')
    await world.upOnly(away.host)
    const startedAt = performance.now()
    const instances = await settled(world, missed.version, { site: away.site, timeoutMs: 60_000 })
    const tookMs = Math.round(performance.now() - startedAt)
    const body = await answered(world, instances, greetingOf(missed.version))
    const { parent } = await nodeView(world, world.named(away.host))
    must(parent?.link === 'down', `${away.host} has a parent although none runs`)
    const [own, ofSibling] = [blobsOf(world, away.host), new Set(blobsOf(world, away.sibling))]
    const fetched = own.filter((name) => !blobs.includes(name) && ofSibling.has(name))
    must(fetched.length > 0, `${away.host} has nothing that ${away.sibling} has and it had not before`)
    const evidence = {
      missed: { version: missed.version, image: missed.image },
      stopped: away.parent,
      'parent-link': { link: parent?.link, error: parent?.error, siblings: parent?.siblings },
      'fetched-from-s1': fetched,
      'took-ms': tookMs,
      body,
      pids: { before, after: pidsOf(instances) },
    }
    await world.upOnly(away.parent)
    await linked(world, world.named(away.parent))
    return evidence
  },
}
