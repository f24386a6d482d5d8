import { pause } from '../../demo/index.ts'
import { readStores } from './read-stores.ts'
import { certificatesKept, entitled, type HeldStore, sameEverywhere, type Verdict, written } from './store-judge.ts'
import { restarted } from './tree-judge.ts'
import { readTree, type TreeReading } from './tree-reading.ts'
import { edgesOf, type TreeScene } from './tree-scene.ts'

/** Replicas must be the same within this time of a tree that is as wanted. */
const sameWithinMs = 10_000
/** Hosts report every five seconds. */
const reportsWithinMs = 30_000

/** How long ago each host spoke, as its own parent says. */
const agesOf = async ({ world }: TreeScene): Promise<ReadonlyMap<string, number>> => {
  const ages = new Map<string, number>()
  for (const node of world.nodes())
    if (node.role === 'aggregator')
      for (const { node: name, 'age-ms': age } of await world.get<readonly { node: string; 'age-ms'?: number }[]>(
        node,
        '/v1/state/hosts',
      ))
        if (age !== undefined) ages.set(name, age)
  return ages
}

/** Waits until every host has reported twice. @returns hosts that did not, after all that time */
const twoReports = async (scene: TreeScene): Promise<readonly string[]> => {
  const left = new Map(edgesOf(scene).map(({ name }) => [name, 2]))
  const startedMs = performance.now()
  let before = await agesOf(scene)
  while (left.size > 0 && performance.now() - startedMs < reportsWithinMs && !scene.options.signal.aborted) {
    await pause(200)
    const now = await agesOf(scene)
    for (const [name, reports] of left)
      if ((now.get(name) ?? Infinity) < (before.get(name) ?? 0))
        if (reports > 1) left.set(name, reports - 1)
        else left.delete(name)
    before = now
  }
  return [...left.keys()]
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
 * containers, are still the same once every host has reported twice more.
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
  const silent = await twoReports(scene)
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
      broken: [
        ...wrote.broken,
        ...kept.broken,
        ...(more > 0 ? [`${more} containers were started`] : []),
        ...silent.map((name) => `${name} did not report twice in ${reportsWithinMs / 1000} s`),
      ],
    },
    stores: after,
  }
}
