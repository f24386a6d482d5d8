import { tillPids } from './killed-container.ts'
import {
  answered,
  applyShop,
  containerOf,
  type DemoStep,
  greetingOf,
  isSame,
  must,
  settled,
  settledSites,
  standingVersion,
} from './step.ts'

/** The version that steps go to and come back from. */
export const nextVersion = '3'

export const upgrade: DemoStep = {
  name: 'upgrade-and-rollback',
  brief: 'only what changed is replaced',
  proves: 'a new version replaces what changed, a rollback brings the former one back, the rest is not touched',
  run: async (world) => {
    const standing = await standingVersion(world)
    const before = await settled(world, standing)
    await applyShop(world, nextVersion)
    const upgraded = await settled(world, nextVersion, {
      accept: (all) => containerOf(all, 'web').pid !== containerOf(before, 'web').pid,
    })
    const bodyNext = await answered(world, upgraded, greetingOf(nextVersion))
    await settledSites(world, nextVersion, world.sites())
    await world.skerry(['rollback', 'shop-everywhere'])
    const back = await settled(world, standing, {
      accept: (all) => containerOf(all, 'web').pid !== containerOf(upgraded, 'web').pid,
    })
    const bodyBack = await answered(world, back, greetingOf(standing))
    await settledSites(world, standing, world.sites())
    const tills = [before, upgraded, back].map(tillPids)
    must(
      tills.every((pids) => isSame(pids, tills[0])),
      `a till was restarted: ${JSON.stringify(tills)}`,
    )
    return {
      versions: [standing, nextVersion, standing],
      'till-pids': tills,
      'web-pids': [before, upgraded, back].map((instances) => containerOf(instances, 'web').pid),
      bodies: [bodyNext, bodyBack],
    }
  },
}
