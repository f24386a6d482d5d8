import { errorText } from '../../../base/index.ts'
import { pause } from '../../demo/index.ts'
import { applications } from './applications.ts'
import { sketchStores, type ToldBefore } from './read-stores.ts'
import { onItsWay } from './told-judge.ts'
import { notYet, type SiteShape, strangers, wantedOf } from './tree-judge.ts'
import { readTree, type TreeReading } from './tree-reading.ts'
import type { TreeScene } from './tree-scene.ts'

/** After everything was started again the whole tree must be as wanted within this time; the longest wait of a link is 45 s. */
const settleWithinMs = 60_000
/** What is still waited for is said this often. */
const sayEveryMs = 10_000

/** How the tree was found in the end. */
export interface TreeRest {
  /** Undefined where a node never answered. */
  readonly reading: TreeReading | undefined
  /** What is not as wanted although the time is over. */
  readonly late: readonly string[]
  /** What must never be: a change that was lost, another key, somebody who has to enrol again. */
  readonly lost: readonly string[]
  readonly tookMs: number
}

/** Sites and what the tower may hear of them: of a privacy zone counts alone. */
const sitesOf = ({ world }: TreeScene): readonly SiteShape[] =>
  world.sites().map((site) => {
    const hosts = world.hostsOf(site)
    const isHidden = hosts[0]?.scope.startsWith('/south/') === true
    return { site, hosts: hosts.length, ...(isHidden && { hiddenIn: '/south' }) }
  })

/** Takes down what the tower has in force, once nobody asks for anything any more. */
const learn = ({ ledger }: TreeScene, { deployed }: TreeReading): readonly string[] =>
  applications.flatMap((application) => ledger.learn(application, wantedOf(deployed, application)) ?? [])

/** Reads the tree until it is as wanted, or its time is over. Nobody may ask for changes meanwhile. */
export const settleTree = async (scene: TreeScene): Promise<TreeRest> => {
  const { ledger, fingerprints, options } = scene
  const startedMs = performance.now()
  const sites = sitesOf(scene)
  let rest: Omit<TreeRest, 'tookMs'> = { reading: undefined, late: ['nothing was read yet'], lost: [] }
  let lost: readonly string[] | undefined
  const told: ToldBefore = new Map()
  let still = ''
  let saidMs = 0
  const tookMs = () => Math.round(performance.now() - startedMs)
  for (;;) {
    try {
      const reading = await readTree(scene)
      lost ??= learn(scene, reading)
      for (const { name, fingerprint } of reading.nodes)
        if (!fingerprints.has(name)) fingerprints.set(name, fingerprint)
      const wanted = new Map(applications.map((name) => [name, ledger.candidates(name).at(-1)]))
      const late = notYet(reading, sites, wanted)
      rest = { reading, late, lost: [...lost, ...strangers(reading, fingerprints)] }
      if (late.length === 0) {
        const moving = onItsWay(await sketchStores(scene, told))
        // Twice the same: what came down last may not be done yet, or a container may still be on its way out.
        const now =
          moving.length > 0 ? '' : reading.containers.map(({ name, id, pid }) => `${name} ${id} ${pid}`).join()
        if (now !== '' && now === still) return { ...rest, tookMs: tookMs() }
        still = now
        rest = { ...rest, late: moving.length > 0 ? moving : ['its containers stay as they are'] }
      } else still = ''
    } catch (error) {
      rest = { ...rest, late: [errorText(error)] }
    }
    if (tookMs() > settleWithinMs || options.signal.aborted) return { ...rest, tookMs: tookMs() }
    if (tookMs() > saidMs + sayEveryMs) {
      saidMs = tookMs()
      options.say(`    after ${saidMs} ms still: ${rest.late.slice(0, 4).join('; ')}`)
    }
    await pause(250)
  }
}
