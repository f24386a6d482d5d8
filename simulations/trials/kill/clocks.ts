import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorText } from '../../../base/index.ts'
import type { MemberView, NodeView } from '../../../node/index.ts'
import type { DemoNode } from '../../demo/index.ts'
import { programDir, type TreeScene } from './tree-scene.ts'

const libraries = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1',
]
const joinWithinMs = 90_000

/** Where Debian's package libfaketime put it; undefined where it is not installed. */
export const fakeTimeLibrary = (): string | undefined => libraries.find((path) => existsSync(path))

/** Starts one node whose time of day is another; the machine's clock stays as it is. */
const startAt = (node: DemoNode, time: string, library: string, extra: readonly string[] = []): ChildProcess =>
  spawn(
    process.execPath,
    [
      '--max-semi-space-size=1',
      join(programDir, 'skerry-node.mjs'),
      '--config',
      join(node['data-dir'], 'node.yaml'),
      ...extra,
    ],
    {
      stdio: 'ignore',
      // Only the time of day: timers go by the monotonic clock.
      env: {
        ...process.env,
        LD_PRELOAD: library,
        FAKETIME: time,
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        DONT_FAKE_MONOTONIC: '1',
      },
    },
  )

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })

export interface ClockFinding {
  readonly what: string
  /** Undefined where it holds. */
  readonly broken?: string
}

const isLinked = async ({ world }: TreeScene, node: DemoNode): Promise<true | undefined> =>
  (await world.get<NodeView>(node, '/v1/state/node')).parent?.link === 'up' ? true : undefined

const stopNode = async ({ world }: TreeScene, node: DemoNode): Promise<void> => {
  try {
    process.kill(node.pid, 'SIGTERM')
  } catch {
    // It is gone already.
  }
  await world.until(`${node.name} to end`, 30_000, async () => {
    try {
      const stat = readFileSync(`/proc/${node.pid}/stat`, 'utf8')
      return stat.includes(') Z') ? true : undefined
    } catch {
      return true
    }
  })
}

/** A fresh machine takes the place of a host: another key, so an operator says yes to it. */
const enrolAnew = async (scene: TreeScene, node: DemoNode, time: string, library: string): Promise<ChildProcess> => {
  const { world } = scene
  for (const name of ['store', 'key.json', 'choices.json', 'accepted.json'])
    rmSync(join(node['data-dir'], 'data', name), { recursive: true, force: true })
  const tokenFile = join(node['data-dir'], 'join-token')
  if (existsSync(tokenFile)) writeFileSync(tokenFile, '')
  const child = startAt(node, time, library)
  const own = await world.until(
    `${node.name} to say its fingerprint`,
    joinWithinMs,
    async () => (await world.get<NodeView>(node, '/v1/state/node')).fingerprint,
  )
  const zone = node.scope.slice(0, node.scope.lastIndexOf('/'))
  const parent = world.nodes().find(({ role, scope }) => role !== 'edge' && scope === zone)
  if (parent === undefined) throw new RangeError(`${node.name} has no parent`)
  await world.until(`${node.name} to call`, joinWithinMs, async () => {
    const members = await world.get<readonly MemberView[]>(parent, '/v1/state/system/call-home-hosts')
    return members.some(({ fingerprint }) => fingerprint === own) ? true : undefined
  })
  await world.skerry(['--endpoint', `unix:${parent['api-socket']}`, 'hosts', 'claim', own, '--as', node.name])
  return child
}

/** Clocks that are wrong keep nobody out (DESIGN.md section 4). Leaves the tree as it found it. */
export const tryClocks = async (scene: TreeScene, library: string): Promise<readonly ClockFinding[]> => {
  const { world, options } = scene
  const running: ChildProcess[] = []
  const findings: ClockFinding[] = []
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work()
      findings.push({ what })
    } catch (error) {
      findings.push({ what, broken: errorText(error) })
    }
    options.say(`    clocks: ${what}: ${findings.at(-1)?.broken ?? 'holds'}`)
  }
  const ready = (node: DemoNode) =>
    world.until(`the applications at ${node.name}`, joinWithinMs, async () => {
      const instances = await world.instances('shop', node.site)
      return instances.length > 0 && instances.every((one) => one.ready) ? true : undefined
    })
  const [a, b] = [world.named('s1-a'), world.named('s2-a')]
  const aggregator = world.named('south-aggregator')
  try {
    for (const [node, time] of [
      [a, '@1970-01-02 00:00:00'],
      [b, '+3650d'],
    ] as const)
      await attempt(`a fresh edge at ${time} enrols and runs`, async () => {
        await stopNode(scene, node)
        running.push(await enrolAnew(scene, node, time, library))
        await world.until(`${node.name} to be linked`, joinWithinMs, () => isLinked(scene, node))
        await ready(node)
      })
    await attempt(
      'an edge away for three validity periods, with its clock at 1970, is back without a person',
      async () => {
        const [first] = running
        if (first !== undefined) await ended(first)
        await stopNode(scene, aggregator)
        // 90 days each; this parent is told that its time may be believed.
        running.push(startAt(aggregator, '+300d', library, ['--time', 'trusted']))
        await world.until('the aggregator to be linked', joinWithinMs, () => isLinked(scene, aggregator))
        running.push(startAt(a, '@1970-01-02 00:00:00', library))
        await world.until(`${a.name} to be linked`, joinWithinMs, () => isLinked(scene, a))
        await ready(a)
      },
    )
  } finally {
    for (const child of running) await ended(child)
    await world.up()
  }
  return findings
}
