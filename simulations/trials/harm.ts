import { type Random, SkerryError } from '../../base/index.ts'
import { pause } from '../demo/index.ts'
import { enginesOf, shimsOf } from './host-reading.ts'
import { deploymentFile, type Scene } from './scene.ts'
import { changingApplications } from './workload.ts'

/** Longest time between an upgrade that begins and the kill: from before its first step to after its last. */
const maxDelayMs = 2_500
/** Longest time an edge stays dead, as under a service manager that restarts it. */
const maxRestartDelayMs = 1_000
/** A container's backoff doubles with each kill of its shim: from here on another one is chosen. */
const maxShimKills = 5

const pick = <Value>(random: Random, values: readonly Value[]): Value | undefined =>
  values[Math.floor(random.unit() * values.length)]

type VictimKind = 'edge' | 'containerd' | 'shim'
interface Killed {
  readonly kind: VictimKind
  readonly pid: number
  /** The container whose shim it was. */
  readonly id?: string
}

const choose = ({ place, world, shimKills, everSeen }: Scene, kind: VictimKind, unit: Random): Killed | undefined => {
  if (kind === 'edge') return { kind, pid: world.node('edge').pid }
  if (kind === 'containerd') {
    const pid = pick(unit, enginesOf(place))
    return pid === undefined ? undefined : { kind, pid }
  }
  const nameOf = (id: string) => {
    const seen = everSeen.get(id)
    return seen ? `${seen.instance}/${seen.container}` : id
  }
  const shims = shimsOf(place).filter(({ id }) => (shimKills.get(nameOf(id)) ?? 0) < maxShimKills)
  const shim = pick(
    unit,
    shims.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  )
  if (!shim) return undefined
  shimKills.set(nameOf(shim.id), (shimKills.get(nameOf(shim.id)) ?? 0) + 1)
  return { kind, ...shim }
}

export interface Round {
  readonly killed: Killed
  /** The application whose version changed meanwhile. */
  readonly changed?: string
  readonly delayMs: number
}

/** One kill, most often while an upgrade or a rollback is under way. */
export const harm = async (scene: Scene): Promise<Round> => {
  const { world, versions, random } = scene
  const kind = pick(random, ['edge', 'containerd', 'shim'] as const) ?? 'edge'
  const changed = random.unit() < 0.7 ? pick(random, changingApplications) : undefined
  const delayMs = Math.round(random.unit() * maxDelayMs)
  const restartDelayMs = Math.round(random.unit() * maxRestartDelayMs)
  let applied: Promise<unknown> = Promise.resolve()
  if (changed !== undefined) {
    const version = versions[changed] === '1' ? '2' : '1'
    versions[changed] = version
    applied = world.skerry(['apply', '-f', deploymentFile(changed, version)])
    applied.catch(() => {})
  }
  await pause(delayMs)
  const killed = choose(scene, kind, random)
  if (!killed) throw new SkerryError('no-victim', `there is no ${kind} to kill`)
  try {
    process.kill(killed.pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
  if (killed.kind === 'edge') {
    await pause(restartDelayMs)
    await world.up()
  }
  await applied
  return { killed, ...(changed !== undefined && { changed }), delayMs }
}
