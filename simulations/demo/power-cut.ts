import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errorText, SkerryError } from '../../base/index.ts'
import { cutAggregator } from './cut-off.ts'
import {
  answered,
  type DemoStep,
  type Evidence,
  greetingOf,
  isSame,
  linked,
  must,
  nodeView,
  type Pids,
  pidsNow,
  pidsOf,
  settled,
  standingVersion,
} from './step.ts'
import { commandLines, type DemoNode, type World } from './world.ts'

/** Every process in the cgroups below a folder whose name holds `node`, whatever hierarchy it is in. */
const cgroupProcesses = (node: string): readonly number[] => {
  const found = new Set<number>()
  const visit = (folder: string, depth: number, inside: boolean) => {
    let names: string[]
    try {
      names = readdirSync(folder)
    } catch {
      return
    }
    if (inside && names.includes('cgroup.procs'))
      for (const line of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n'))
        if (line) found.add(Number(line))
    if (depth === 0) return
    for (const name of names) {
      const path = join(folder, name)
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
        visit(path, depth - 1, inside || name.includes(node))
    }
  }
  visit('/sys/fs/cgroup', 8, false)
  return [...found]
}

const unmountBelow = (folder: string): number => {
  if (!existsSync('/proc/self/mounts')) return 0
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${folder}/`))
    .toSorted((a, b) => b.length - a.length)
  for (const point of points) execFileSync('umount', ['-l', point])
  return points.length
}

/** The unique part of the name of a node's cgroup; nothing where the node made none. */
const cgroupMark = (node: DemoNode): readonly string[] => {
  const path = join(node['data-dir'], 'data', 'identity.json')
  return existsSync(path) ? [(JSON.parse(readFileSync(path, 'utf8')) as { value: { id: string } }).value.id] : []
}

/** Kills whatever belongs to a machine, again and again until nothing is left: a shim may have forked in between. */
const killAll = async (node: DemoNode): Promise<readonly string[]> => {
  const folders = [`${node['run-dir']}/`, `${node['data-dir']}/`]
  const killed: string[] = []
  for (let round = 0; round < 50; round++) {
    const lines = await commandLines()
    const named = lines.filter(
      ({ pid, command }) =>
        pid !== process.pid && !command.includes('<defunct>') && folders.some((folder) => command.includes(folder)),
    )
    const inCgroups = cgroupMark(node).flatMap(cgroupProcesses)
    const pids = new Set([...named.map(({ pid }) => pid), ...inCgroups])
    if (pids.size === 0) return killed
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL')
        killed.push(
          (lines.find((line) => line.pid === pid)?.command ?? String(pid)).split(' ')[0]?.split('/').at(-1) ?? '',
        )
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new SkerryError('power-cut-failed', `processes of ${node.name} are still there after 50 rounds of SIGKILL`)
}

/** What a power cut does to a machine: every process of it gone at once, and all that lived in /run with it. */
export const cutPower = async (node: DemoNode): Promise<Evidence> => {
  const killed = await killAll(node)
  const runDir = node['run-dir']
  const unmounted = unmountBelow(runDir)
  try {
    rmSync(runDir, { recursive: true, force: true })
  } catch (error) {
    throw new SkerryError('power-cut-failed', `could not clear ${runDir}: ${errorText(error)}`)
  }
  const count = (part: string) => killed.filter((name) => name.includes(part)).length
  return {
    processes: killed.length,
    engines: count('containerd') - count('shim'),
    shims: count('shim'),
    unmounted,
  }
}

/** The site whose power is cut, and the parent that does not answer it meanwhile. */
const powered = { site: 'n2', parent: cutAggregator }

const startedAlone = async (world: World, node: DemoNode, standing: string, before: Pids): Promise<Evidence> => {
  const cut = await cutPower(node)
  await world.powerOn(node)
  const isNew = (all: Parameters<typeof pidsOf>[0]) =>
    Object.entries(pidsOf(all)).every(([container, pid]) => pid !== before[container])
  const { site } = node
  const after = await settled(world, standing, { site, accept: isNew, timeoutMs: 60_000 })
  const body = await answered(world, after, greetingOf(standing))
  const { parent } = await nodeView(world, node)
  must(parent?.link === 'down', `${node.name} has a parent although it was started alone`)
  return { killed: cut, before, after: pidsOf(after), body, parent: { link: parent?.link, error: parent?.error } }
}

export const powerCut: DemoStep = {
  name: 'power-cut-while-cut-off',
  brief: 'n2 starts from its own disk, with nobody to ask',
  proves:
    'north is cut off from the tower and its aggregator stands still; n2 loses its power, and on return runs everything again from its own disk, with nobody to ask; later it is found again by itself',
  run: async (world) => {
    const standing = await standingVersion(world)
    const { site, parent } = powered
    const [node] = world.hostsOf(site)
    if (node === undefined) throw new SkerryError('no-such-node', `${site} has no host`)
    const others = world.sites().filter((one) => one !== site)
    const before = await pidsNow(world, others)
    const own = pidsOf(await settled(world, standing, { site }))
    const cable = world.cable(parent)
    cable.cut()
    const { pid } = world.named(parent)
    process.kill(pid, 'SIGSTOP')
    let evidence: Evidence
    try {
      evidence = await startedAlone(world, node, standing, own)
    } finally {
      process.kill(pid, 'SIGCONT')
      cable.heal()
    }
    const during = await pidsNow(world, [site])
    for (const one of [node.name, parent]) await linked(world, world.named(one))
    await settled(world, standing, { site, accept: (all) => isSame(pidsOf(all), during[site]) })
    const after = await pidsNow(world, others)
    must(isSame(after, before), `something was restarted elsewhere: ${JSON.stringify([before, after])}`)
    return {
      machine: node.name,
      cuts: { cable: cable.seen(), 'stood-still': `${parent} (process ${pid}, SIGSTOP)` },
      ...evidence,
      'linked-again': [node.name, parent],
    }
  },
}
