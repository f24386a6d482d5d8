import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'

/** The processes of this machine, as far as they must be told apart. */
export interface ProcessTable {
  /** True when the process lives and carries the token: a process id alone proves nothing, it may be reused. */
  carries(pid: number, token: string): Promise<boolean>
  /** Ids of the living processes of a group. */
  groupOf(group: number): Promise<readonly number[]>
}

/** Fields of /proc/<pid>/stat behind the name, which may hold anything (proc(5)): state, parent, group. */
const statFields = (stat: string): readonly string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ')

const readOr = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'latin1')
  } catch {
    // Gone meanwhile, or not ours to read.
    return ''
  }
}

const isLiving = (state: string | undefined): boolean => state !== undefined && !/^[ZX]/.test(state)

const linuxTable: ProcessTable = {
  carries: async (pid, token) => {
    const stat = await readOr(`/proc/${pid}/stat`)
    if (stat === '' || !isLiving(statFields(stat)[0])) return false
    const [line, env] = await Promise.all([readOr(`/proc/${pid}/cmdline`), readOr(`/proc/${pid}/environ`)])
    return line.includes(token) || env.includes(token)
  },
  groupOf: async (group) => {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
    const stats = await Promise.all(
      pids.map(async (pid) => ({ pid, fields: statFields(await readOr(`/proc/${pid}/stat`)) })),
    )
    return stats.filter(({ fields }) => Number(fields[2]) === group && isLiving(fields[0])).map(({ pid }) => pid)
  },
}

const ps = (args: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    // It ends with 1 when it finds nothing; then there is no output either.
    execFile('ps', [...args], { maxBuffer: 16 * 1024 * 1024 }, (_error, stdout) => resolve(stdout))
  })

/** Where there is no /proc (macOS). The token of the program's own children is not seen there. */
export const psTable: ProcessTable = {
  carries: async (pid, token) => {
    const line = (await ps(['-ww', '-o', 'stat=,command=', '-p', String(pid)])).trim()
    return line !== '' && isLiving(line) && line.includes(token)
  },
  groupOf: async (group) =>
    (await ps(['-A', '-o', 'pid=,pgid=,stat=']))
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, pgid, stat]) => Number(pgid) === group && isLiving(stat))
      .map(([pid]) => Number(pid)),
}

export const createProcessTable = (): ProcessTable => (existsSync('/proc/self/stat') ? linuxTable : psTable)

/** Ends a whole group at once, if one of its members proves that it is ours. @returns whether there was one */
export const killGroup = async (table: ProcessTable, group: number, token: string): Promise<boolean> => {
  const members = await table.groupOf(group)
  const proofs = await Promise.all(members.map((pid) => table.carries(pid, token)))
  if (!proofs.some(Boolean)) return false
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // Ended meanwhile.
  }
  return true
}
