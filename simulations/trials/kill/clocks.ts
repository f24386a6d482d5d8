import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorText, SkerryError } from '../../../base/index.ts'
import type { NodeView, ServiceInstanceView } from '../../../node/index.ts'
import type { NodeLayout } from '../../../node/local-tree/index.ts'
import type { World } from '../../demo/index.ts'
import type { TrialOptions } from '../trial-row.ts'
import { deploymentDocument, type Version } from './applications.ts'
import { demoNodeOf, ended, fakeTimeLibrary, layoutOf, setUpNode, startAt } from './faked-node.ts'
import { readFolder } from './read-stores.ts'
import { installApplications, type TrialPlace, worldOf } from './tree-scene.ts'

const topology = `version: 1
network: clocks
towers:
  site: headquarters
  hosts:
    - name: tower
zones:
  - name: west
    aggregators:
      hosts:
        - name: west-aggregator
    sites:
      - name: w1
        hosts:
          - name: w1-a
      - name: w2
        hosts:
          - name: w2-a
`
const past = '@1970-01-02 00:00:00'
const future = '+3650d'
/** Three validity periods of a certificate are 270 days. */
const later = '+3950d'
const dayMs = 24 * 60 * 60 * 1_000
const withinMs = 60_000

/** What was tried, and what went wrong; undefined where it holds. */
export interface ClockFinding {
  readonly what: string
  readonly broken?: string
}

/** A small tree whose nodes are started by hand, each with a time of day of its own. */
const createClockTree = (place: TrialPlace, world: World, library: string) => {
  const running = new Map<string, ChildProcess>()
  const layout = (name: string) => layoutOf(place.clocksHome, name)
  const view = (name: string) => world.get<NodeView>(demoNodeOf(layout(name)), '/v1/state/node')

  const start = (node: NodeLayout, time: string, extra?: readonly string[]) => {
    running.set(node.name, startAt(place, node, library, time, extra))
  }
  return {
    layout,
    view,
    /** Starts a machine that was never a member, with the one-time token of its parent. */
    join: async (name: string, parent: string, time: string) => {
      const node = layout(name)
      const at = `unix:${layout(parent).apiSocket}`
      const { stdout } = await world.skerry(['--endpoint', at, 'hosts', 'token', name])
      setUpNode(place.clocksHome, node, place.driver, stdout.trim())
      start(node, time)
    },
    start: (name: string, time: string, extra?: readonly string[]) => start(layout(name), time, extra),
    stop: async (name: string) => {
      const child = running.get(name)
      if (child !== undefined) await ended(child)
    },
    linked: (name: string) =>
      world.until(`${name} to be linked`, withinMs, async () => {
        const { parent } = await view(name)
        return parent?.link === 'up' ? true : undefined
      }),
    /** Waits until an application runs at an edge in this version. */
    runs: (name: string, version: Version) =>
      world.until(`shop ${version} at ${name}`, withinMs, async () => {
        const path = '/v1/state/applications/shop/service-instances'
        const found = await world.get<readonly ServiceInstanceView[]>(demoNodeOf(layout(name)), path)
        const good = found.filter((one) => one.ready && one['application-version'] === version)
        return found.length === 2 && good.length === 2 ? true : undefined
      }),
    /** The certificate on the disk of a node that does not run. */
    certificate: async (name: string) => {
      const { certificate } = await readFolder(name, layout(name).dataDir, join(place.ownDir, `copy-${name}`))
      if (certificate === undefined) throw new SkerryError('not-shown', `${name} has no certificate`)
      return certificate
    },
    end: async () => {
      for (const child of running.values()) await ended(child)
    },
  }
}

/**
 * Clocks that are wrong keep nobody out (DESIGN.md section 4): in a tree of its own, whose tower has the machine's time.
 * Nobody ever says yes to anything but the first tokens.
 */
export const tryClocks = async (place: TrialPlace, options: TrialOptions): Promise<readonly ClockFinding[]> => {
  const library = fakeTimeLibrary()
  if (library === undefined) {
    options.say('    clocks: not tried, libfaketime is not installed (apt-get install libfaketime)')
    return []
  }
  const file = join(place.ownDir, 'clocks.yaml')
  writeFileSync(file, topology)
  const world = worldOf({ ...place, home: place.clocksHome }, options, file)
  await world.upOnly('tower')
  const tree = createClockTree(place, world, library)
  const findings: ClockFinding[] = []
  const attempt = async (what: string, work: () => Promise<void>) => {
    if (options.signal.aborted) return
    try {
      await work()
      findings.push({ what })
    } catch (error) {
      findings.push({ what, broken: errorText(error) })
    }
    options.say(`    clocks: ${what}: ${findings.at(-1)?.broken ?? 'holds'}`)
  }
  const deploy = async (version: Version) => {
    const path = join(place.ownDir, 'clocks-deployment.yaml')
    writeFileSync(path, deploymentDocument('shop', version))
    await world.skerry(['apply', '-f', path])
  }
  try {
    await attempt('a fresh aggregator ten years ahead enrols by calling home', async () => {
      await tree.join('west-aggregator', 'tower', future)
      await tree.linked('west-aggregator')
      await installApplications(world, place)
    })
    for (const [name, time, words] of [
      ['w1-a', past, 'at 1970'],
      ['w2-a', future, 'ten years ahead'],
    ] as const)
      await attempt(`a fresh edge ${words} enrols by calling home and runs an application`, async () => {
        await tree.join(name, 'west-aggregator', time)
        await tree.linked(name)
        await tree.runs(name, '1')
      })
    await attempt('a parent whose time is trusted dates the certificate of an edge that is at 1970', async () => {
      await tree.stop('west-aggregator')
      tree.start('west-aggregator', future, ['--time', 'trusted'])
      await tree.linked('west-aggregator')
      await tree.linked('w1-a')
    })
    await attempt('an edge away for three validity periods, its clock at 1970, is back without a person', async () => {
      const { fingerprint } = await tree.view('w1-a')
      await tree.stop('w1-a')
      const before = await tree.certificate('w1-a')
      await tree.stop('west-aggregator')
      tree.start('west-aggregator', later, ['--time', 'trusted'])
      await tree.linked('west-aggregator')
      await deploy('2')
      await tree.runs('w2-a', '2')
      tree.start('w1-a', past)
      await tree.linked('w1-a')
      await tree.runs('w1-a', '2')
      if ((await tree.view('w1-a')).fingerprint !== fingerprint)
        throw new SkerryError('not-shown', 'it came back with another key')
      await tree.stop('w1-a')
      const after = await tree.certificate('w1-a')
      const days = Math.round((after.fromMs - before.fromMs) / dayMs)
      options.say(`    clocks: its certificate ${before.number} became ${after.number}, dated ${days} days later`)
      if (after.number <= before.number || days < 270)
        throw new SkerryError('not-shown', `its certificate was not renewed: ${days} days lie between the two`)
    })
  } finally {
    await tree.end()
  }
  return findings
}
