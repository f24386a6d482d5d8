import { readFileSync, statSync } from 'node:fs'
import { readdir, readFile, rmdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { DriverFacts, ExitReason } from '../containers.ts'

/** How the host counts and limits. `hybrid`: controllers of v1, and a v2 tree beside them without controllers. */
export type CgroupLayout = Exclude<DriverFacts['cgroup'], 'none'>

/** Where the kernel's control files are. @default `/sys/fs/cgroup`; tests hand in recorded trees */
export const cgroupRoot = '/sys/fs/cgroup'

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined

/** v2 has `cgroup.controllers` at its root (kernel, admin-guide/cgroup-v2); v1 has one tree per controller. */
export const cgroupLayout = (root: string = cgroupRoot): CgroupLayout => {
  if (exists(join(root, 'cgroup.controllers'))) return 'v2'
  return exists(join(root, 'unified', 'cgroup.controllers')) ? 'hybrid' : 'v1'
}

/** `key value` lines, as in `memory.events` and `memory.oom_control`. */
export const parseCounters = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([key, value]) => key && value !== undefined && /^\d+$/.test(value))
      .map(([key, value]) => [key!, Number(value)]),
  )

/** The files that count kills for want of memory: v1 one, v2 the subtree's and the group's own. */
const oomFiles = (layout: CgroupLayout, path: string, root: string): readonly string[] =>
  layout === 'v2' ? [join(root, path, 'memory.events')] : [join(root, 'memory', path, 'memory.oom_control')]

/**
 * Processes of the cgroup at `path` that the kernel killed because its memory limit was reached. The cgroup is made
 * anew for each container, so the count begins at 0, and it stays until the task is deleted.
 * @returns undefined when it cannot be known: the cgroup is gone.
 */
export const oomKills = (layout: CgroupLayout, path: string, root: string = cgroupRoot): number | undefined => {
  for (const file of oomFiles(layout, path, root)) {
    try {
      return parseCounters(readFileSync(file, 'utf8')).get('oom_kill') ?? 0
    } catch {}
  }
  return undefined
}

/** Why a container ended. A code over 128 is a signal's number plus 128; 137 alone says nothing of memory. */
export const exitReason = (exitCode: number, kills: number | undefined): ExitReason => {
  if (exitCode === 0) return 'exited'
  if (kills !== undefined && kills > 0) return 'oom'
  return exitCode > 128 && exitCode <= 128 + 64 ? 'killed' : 'exited'
}

/**
 * Whether memory and swap together can be bounded: without the kernel's swap accounting the control file is absent,
 * and the runtime would fail on it.
 */
export const countsSwap = async (layout: CgroupLayout, root: string = cgroupRoot): Promise<boolean> => {
  if (layout !== 'v2') return exists(join(root, 'memory', 'memory.memsw.limit_in_bytes'))
  const groups = await readdir(root, { withFileTypes: true }).catch(() => [])
  return groups.some((group) => group.isDirectory() && exists(join(root, group.name, 'memory.swap.max')))
}

/** Every directory that stands for the cgroup `path`: one in v2, one per controller in v1. */
export const cgroupDirectories = async (path: string, root: string = cgroupRoot): Promise<string[]> => {
  const trees =
    cgroupLayout(root) === 'v2'
      ? [root]
      : (await readdir(root, { withFileTypes: true }))
          .filter((entry) => entry.isDirectory())
          .map(({ name }) => join(root, name))
  return trees.map((tree) => join(tree, path)).filter(exists)
}

const subdirectories = async (directory: string): Promise<string[]> =>
  (await readdir(directory, { withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(directory, name))

/** Names of the cgroups right below one, in whichever tree they are. */
export const cgroupChildren = async (path: string, root: string = cgroupRoot): Promise<string[]> => {
  const names = new Set<string>()
  for (const directory of await cgroupDirectories(path, root))
    for (const below of await subdirectories(directory)) names.add(basename(below))
  return [...names].toSorted()
}

/** Process ids in a cgroup and everything below it. */
export const cgroupPids = async (path: string, root: string = cgroupRoot): Promise<number[]> => {
  const pids = new Set<number>()
  const visit = async (directory: string): Promise<void> => {
    const text = await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => '')
    for (const line of text.split('\n')) if (line !== '' && line !== '0') pids.add(Number(line))
    for (const below of await subdirectories(directory)) await visit(below)
  }
  for (const directory of await cgroupDirectories(path, root)) await visit(directory)
  return [...pids].toSorted((a, b) => a - b)
}

/** Removes a cgroup and everything below it, deepest first. It must be empty of processes. */
export const removeCgroup = async (path: string, root: string = cgroupRoot): Promise<void> => {
  const remove = async (directory: string): Promise<void> => {
    for (const below of await subdirectories(directory)) await remove(below)
    await rmdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
  for (const directory of await cgroupDirectories(path, root)) await remove(directory)
}

/** Removes a cgroup that holds neither processes nor others; one that does is left alone. */
export const removeEmptyCgroup = async (path: string, root: string = cgroupRoot): Promise<void> => {
  for (const directory of await cgroupDirectories(path, root)) await rmdir(directory).catch(() => {})
}
