import type { Random } from '../../../base/index.ts'
import { pause } from '../../demo/index.ts'
import { drawKill, type KillPlan } from './kill-plan.ts'
import { startLoad } from './load.ts'
import { processOf, signal } from './node-process.ts'
import { dataDirOf, nodeNames, type TreeScene, upAgain } from './tree-scene.ts'

export interface Harm extends KillPlan {
  /** Nodes killed while they started again. */
  readonly again: readonly string[]
}

const killNow = ({ place }: TreeScene, name: string): boolean => {
  const pid = processOf(dataDirOf(place, name))
  return pid !== undefined && signal(pid, 'SIGKILL')
}

/** Starts the dead in the order of the tree, in one go or each by itself. */
const start = async (scene: TreeScene, { victims, start: how }: KillPlan): Promise<void> => {
  if (how === 'nodes')
    for (const { name } of scene.world.nodes()) if (victims.includes(name)) await scene.world.upOnly(name)
}

/** A kill while the dead start again; the start of the one it hit may fail, as it should. */
const killStarting = async (scene: TreeScene, plan: KillPlan, afterMs: number): Promise<readonly string[]> => {
  const starting = start(scene, plan).then(
    () => (plan.start === 'tree' ? scene.world.up() : undefined),
    () => undefined,
  )
  const settled = starting.catch(() => undefined)
  await pause(afterMs)
  const again = plan.victims.filter((name) => killNow(scene, name)).slice(0, 1)
  await settled
  return again
}

/**
 * One round: changes go on while nodes are killed at one moment and stay away for a while, and everything is started
 * again. Nobody asks for anything any more when it is over.
 */
export const harmTree = async (scene: TreeScene, random: Random): Promise<Harm> => {
  const plan = drawKill(random.fork('kill'), scene.world.nodes())
  const endLoad = startLoad(scene, random.fork('load'))
  let again: readonly string[] = []
  try {
    await pause(plan.delayMs)
    for (const name of plan.victims) killNow(scene, name)
    await pause(plan.awayMs)
    if (plan.againMs === undefined) await start(scene, plan)
    else again = await killStarting(scene, plan, plan.againMs)
  } finally {
    await endLoad()
  }
  await upAgain(scene)
  return { ...plan, again }
}

/**
 * Brings up a fresh tree and kills one node of it at a random moment, which may be in the middle of joining. The next
 * round goes on from there.
 * @returns who was killed; nobody where the tree was up before
 */
export const harmEnrolment = async (scene: TreeScene, random: Random): Promise<string | undefined> => {
  const { world, place } = scene
  let isOver = false
  const over = world
    .up()
    .catch(() => {})
    .finally(() => {
      isOver = true
    })
  const running = () => nodeNames.filter((name) => processOf(dataDirOf(place, name)) !== undefined)
  const before = running()
  // From the moment some further one starts: within its start, its joining, or the start of the next.
  const enough = before.length + 1 + Math.floor(random.unit() * (nodeNames.length - before.length))
  while (!isOver && running().length < enough) await pause(10)
  await pause(random.unit() * 1_500)
  const alive = running()
  const newest = alive.filter((name) => !before.includes(name)).at(-1)
  const victim = random.unit() < 0.4 && newest !== undefined ? newest : alive[Math.floor(random.unit() * alive.length)]
  if (victim !== undefined) killNow(scene, victim)
  await over
  return victim
}
