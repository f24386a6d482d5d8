import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type EdgePlace, mountsBelow, seenProcesses } from './host-reading.ts'

const run = promisify(execFile)

/**
 * Folders of the node's cgroup that are still there, in any hierarchy; the one above it too when nothing else is in it.
 */
const cgroupFolders = (node: string): readonly string[] => {
  const root = '/sys/fs/cgroup'
  const trees = existsSync(join(root, 'cgroup.controllers')) ? [''] : readdirSync(root)
  return trees.flatMap((tree) => {
    const top = join(root, tree, 'skerry')
    if (!existsSync(top)) return []
    const below = readdirSync(top, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    if (below.length === 0) return [`${top} (empty)`]
    return below.some(({ name }) => name === node) ? [join(top, node)] : []
  })
}

/**
 * Looks for anything of an edge and its tree that was to be removed.
 * @returns how many kinds of things were looked for, and what was found
 */
export const findRemains = async (
  place: EdgePlace,
  of: { readonly folders: readonly string[]; readonly chains: readonly string[]; readonly sockets: readonly string[] },
): Promise<{
  readonly kinds: number
  readonly remains: readonly { readonly kind: string; readonly name: string }[]
}> => {
  const saved = (await run('iptables-save', [], { maxBuffer: 16 * 2 ** 20 })).stdout.split('\n')
  const processes = seenProcesses((args) => args.some((arg) => of.folders.some((folder) => arg.includes(folder))))
  const kinds: readonly (readonly [string, readonly string[]])[] = [
    ['process', processes.map(({ pid, args }) => `${pid} ${args.join(' ').slice(0, 120)}`)],
    ['mount', mountsBelow(of.folders)],
    ['cgroup', cgroupFolders(place.node)],
    ['folder', of.folders.filter((folder) => existsSync(folder))],
    ['device', existsSync(`/sys/class/net/${place.bridge}`) ? [place.bridge] : []],
    ['rule', saved.filter((line) => line.includes(place.bridge) || line.includes(place.node))],
    ['chain', saved.filter((line) => of.chains.some((chain) => line.startsWith(`:${chain} `)))],
    ['socket', of.sockets.filter((path) => existsSync(path))],
  ]
  return { kinds: kinds.length, remains: kinds.flatMap(([kind, found]) => found.map((name) => ({ kind, name }))) }
}
