import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errorText, SkerryError } from '../../base/index.ts'
import { commandLines, type DemoNode, demoRecord, type World } from './world.ts'

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

/** Kills whatever belongs to the tree, again and again until nothing is left: a shim may have forked in between. */
const killAll = async (world: World): Promise<readonly string[]> => {
  const { runBase } = demoRecord(world.home)
  const killed: string[] = []
  for (let round = 0; round < 50; round++) {
    const lines = await commandLines()
    const named = lines.filter(
      ({ pid, command }) =>
        pid !== process.pid &&
        !command.includes('<defunct>') &&
        (command.includes(runBase) || command.includes(world.home)),
    )
    const inCgroups = world.nodes().flatMap(cgroupMark).flatMap(cgroupProcesses)
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
  throw new SkerryError('power-cut-failed', 'processes of the tree are still there after 50 rounds of SIGKILL')
}

/**
 * What a power cut does to hosts: every process gone at once, and all that lived in /run with it. Then the edge nodes of
 * the first site alone are started again; all above them stays away.
 */
export const cutPower = async (world: World): Promise<Readonly<Record<string, unknown>>> => {
  const killed = await killAll(world)
  const { runBase } = demoRecord(world.home)
  const unmounted = unmountBelow(runBase)
  try {
    rmSync(runBase, { recursive: true, force: true })
  } catch (error) {
    throw new SkerryError('power-cut-failed', `could not clear ${runBase}: ${errorText(error)}`)
  }
  const edges = world.hostsOf().map(({ name }) => name)
  for (const edge of edges) await world.upOnly(edge)
  const count = (part: string) => killed.filter((name) => name.includes(part)).length
  return {
    killed: { processes: killed.length, engines: count('containerd') - count('shim'), shims: count('shim') },
    unmounted,
    'started-alone': edges,
  }
}
