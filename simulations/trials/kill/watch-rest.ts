import { pause } from '../../demo/index.ts'
import { readStores } from './read-stores.ts'
import { certificatesKept, entitled, type HeldStore, sameEverywhere, type Verdict, written } from './store-judge.ts'
import { restarted } from './tree-judge.ts'
import { readTree, type TreeReading } from './tree-reading.ts'
import type { TreeScene } from './tree-scene.ts'

/** Replicas must be the same within this time of a tree that is as wanted. */
const sameWithinMs = 10_000
/**
 * How long a tree at rest is watched: hosts look at their containers every ten seconds and aggregators report as often, so
 * that each has twice had cause to do something.
 */
const watchedMs = 22_000

const watch = async ({ options: { signal } }: TreeScene): Promise<void> => {
  const startedMs = performance.now()
  while (performance.now() - startedMs < watchedMs && !signal.aborted) await pause(200)
}

export interface RestVerdicts {
  readonly writers: Verdict
  readonly same: Verdict
  readonly certificates: Verdict
  readonly fixed: Verdict
  readonly stores: readonly HeldStore[]
}

/**
 * Looks at a tree that is as wanted and that nobody asks for anything: at its stores, and whether they, and the
 * containers, are still the same a while later.
 * @param first what the stores held when they were read first; undefined the first time
 */
export const watchRest = async (
  scene: TreeScene,
  reading: TreeReading,
  first: readonly HeldStore[] | undefined,
): Promise<RestVerdicts> => {
  const startedMs = performance.now()
  let stores = await readStores(scene)
  while (sameEverywhere(stores).broken.length > 0 && performance.now() - startedMs < sameWithinMs) {
    await pause(500)
    stores = await readStores(scene)
  }
  await watch(scene)
  const after = await readStores(scene)
  const later = await readTree(scene)
  const wrote = written(stores, after)
  const kept = restarted(reading.containers, later.containers, () => ({ changed: false, removed: false }))
  const more = later.containers.length - reading.containers.length
  return {
    writers: entitled(after),
    same: sameEverywhere(after),
    certificates: certificatesKept(first ?? stores, after),
    fixed: {
      compared: wrote.compared + kept.compared,
      broken: [...wrote.broken, ...kept.broken, ...(more > 0 ? [`${more} containers were started`] : [])],
    },
    stores: after,
  }
}
