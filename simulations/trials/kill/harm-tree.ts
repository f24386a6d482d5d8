import { errorText } from '../../../base/index.ts'
import { pause } from '../../demo/index.ts'
import { type Application, applications, applyVersion, type ShopVersion, type TreeScene } from './tree-scene.ts'

/** Longest time between a change that begins and the kill. */
const maxDelayMs = 1_500
/** Longest time a killed node stays dead. */
const maxAwayMs = 2_000

const pick = <Value>(scene: TreeScene, values: readonly Value[]): Value => {
  const value = values[Math.floor(scene.random.unit() * values.length)]
  if (value === undefined) throw new RangeError('nothing to pick from')
  return value
}

export interface TreeHarm {
  readonly killed: readonly string[]
  /** What was asked for meanwhile, and whether it was acknowledged. */
  readonly changed?: {
    readonly application: Application
    readonly to: ShopVersion | undefined
    readonly acknowledged: boolean
  }
}

/** Begins a change; the ledger is written when it was acknowledged. */
const change = async (scene: TreeScene): Promise<TreeHarm['changed']> => {
  const { world, ledger, random, options } = scene
  const application = pick(scene, applications)
  const now = ledger[application]
  const to = now === undefined ? '1' : random.unit() < 0.15 ? undefined : now === '1' ? '2' : '1'
  try {
    if (to === undefined) await world.skerry(['delete', 'deployment', `${application}-everywhere`])
    else if (random.unit() < 0.3 && now !== undefined)
      await world.skerry(['rollback', `${application}-everywhere`, '--to', to])
    else await applyVersion(world, application, to)
    ledger[application] = to
    return { application, to, acknowledged: true }
  } catch (error) {
    options.say(
      `    not acknowledged: ${application} ${to ?? 'removed'}: ${errorText(error).split('\n')[0]?.slice(0, 160)}`,
    )
    return { application, to, acknowledged: false }
  }
}

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** One kill or several at once, most often while something changes, and everything started again. */
export const harmTree = async (scene: TreeScene): Promise<TreeHarm> => {
  const { world, random } = scene
  const changes = random.unit() < 0.7
  const delayMs = random.unit() * maxDelayMs
  const howMany = random.unit() < 0.25 ? 2 + Math.floor(random.unit() * 2) : 1
  const first = pick(scene, ['edge', 'aggregator', 'tower'] as const)
  const nodes = world.nodes()
  const victims = new Set([
    pick(
      scene,
      nodes.filter(({ role }) => role === first),
    ),
  ])
  while (victims.size < howMany) victims.add(pick(scene, nodes))
  const under = changes ? change(scene) : Promise.resolve(undefined)
  await pause(delayMs)
  for (const { pid } of victims) kill(pid)
  // Sometimes it stays away while another change is made.
  await pause(random.unit() * maxAwayMs)
  const changed = await under
  if (random.unit() < 0.3 && !victims.has(world.node('tower'))) await change(scene)
  // A start is sometimes killed half way.
  if (random.unit() < 0.15) {
    const starting = world.up().catch(() => {})
    await pause(random.unit() * 1_500)
    const again = pick(scene, world.nodes())
    kill(again.pid)
    await starting
  }
  await world.up()
  return { killed: [...victims].map(({ name }) => name), ...(changed && { changed }) }
}
