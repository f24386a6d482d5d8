import { existsSync } from 'node:fs'
import { SkerryError } from '../../../base/index.ts'
import type { NodeView } from '../../../node/index.ts'
import { cutPower, type DemoNode, type World } from '../../demo/index.ts'
import { fakeTimeLibrary } from '../kill/index.ts'
import type { Condition } from './matrix.ts'

/** The host everything is shown at. */
export const shownHost = 'n2-a'
const past = '@1970-01-02 00:00:00'

/** The environment in which a machine lives, by the condition: one with a wrong clock has another time of day. */
export const environmentOf = (condition: Condition): Readonly<Record<string, string>> => {
  const library = fakeTimeLibrary()
  if (condition !== 'clock wrong' || library === undefined) return {}
  return {
    LD_PRELOAD: library,
    FAKETIME: past,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  }
}

/** Why a condition cannot be brought about here; undefined where it can. */
export const cannotBring = (condition: Condition): string | undefined =>
  condition === 'clock wrong' && fakeTimeLibrary() === undefined
    ? 'not tried: libfaketime is not installed (apt-get install libfaketime)'
    : undefined

const linkOf = async (world: World, name: string) =>
  (await world.get<NodeView>(world.named(name), '/v1/state/node')).parent?.link

export const untilLinked = (world: World, name: string, link: 'up' | 'down', timeoutMs = 90_000) =>
  world.until(`${name} to have its link ${link}`, timeoutMs, async () =>
    (await linkOf(world, name)) === link ? true : undefined,
  )

const isGone = (pid: number): boolean => !existsSync(`/proc/${pid}/exe`)

/** Ends nodes at once, as a machine does that loses its power or its network for good. */
const kill = async (world: World, names: readonly string[]): Promise<void> => {
  for (const name of names) {
    const { pid } = world.named(name)
    process.kill(pid, 'SIGKILL')
    await world.until(`${name} to end`, 15_000, async () => (isGone(pid) ? true : undefined))
  }
}

const away: Readonly<Partial<Record<Condition, readonly string[]>>> = {
  'tower away': ['tower'],
  'aggregator away': ['north-aggregator'],
  alone: ['n1-a', 'n1-b', 'north-aggregator', 'tower'],
  'rebooted alone': ['n1-a', 'n1-b', 'north-aggregator', 'tower'],
}

/** Who notices that somebody is away. */
const witness = (condition: Condition): string => (condition === 'tower away' ? 'north-aggregator' : shownHost)

/** Takes the power of a host, and gives it back. */
export const reboot = async (world: World, node: DemoNode, condition: Condition): Promise<void> => {
  await cutPower(node)
  await world.powerOn(node, environmentOf(condition))
  await world.until(`${node.name} to answer`, 30_000, async () => {
    await world.get(node, '/v1/state/node')
    return true
  })
}

/** Brings a condition about, and waits until it is noticed. */
export const bringAbout = async (world: World, condition: Condition): Promise<void> => {
  const node = world.named(shownHost)
  await kill(world, away[condition] ?? [])
  if (condition === 'clock wrong') {
    process.kill(node.pid, 'SIGTERM')
    await world.until(`${node.name} to end`, 15_000, async () => (isGone(node.pid) ? true : undefined))
    await world.powerOn(node, environmentOf(condition))
    await untilLinked(world, shownHost, 'up')
    return
  }
  if (condition === 'rebooted alone') await reboot(world, node, condition)
  await untilLinked(world, witness(condition), 'down')
}

/** Everybody is back. */
export const makeGood = async (world: World, condition: Condition): Promise<void> => {
  if (condition === 'clock wrong') {
    const { pid } = world.named(shownHost)
    process.kill(pid, 'SIGTERM')
    await world.until(`${shownHost} to end`, 15_000, async () => (isGone(pid) ? true : undefined))
  }
  await world.up()
  const unlinked: string[] = []
  for (const { name, role } of world.nodes())
    if (role !== 'tower') await untilLinked(world, name, 'up').catch(() => unlinked.push(name))
  if (unlinked.length > 0) throw new SkerryError('not-back', `${unlinked.join(', ')} did not come back`)
}
