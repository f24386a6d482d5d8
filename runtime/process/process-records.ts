import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/index.ts'
import type { ContainerOwner, ObservedContainer } from '../containers.ts'
import { type ProcessPaths, readText, writeWhole } from './process-files.ts'
import { killGroup, type ProcessTable } from './process-table.ts'
import { type Pids, parseExit, parsePids } from './supervisor.ts'

/** What is written of a container before its processes exist. */
export interface ContainerRecord {
  readonly id: string
  readonly owner: ContainerOwner
  readonly imageDigest: string
  /** Proves that a process is ours. */
  readonly token: string
  readonly startedAtMs: number
  readonly logSizeBytes: number
  /** The program's environment, for commands run beside it. */
  readonly env: Readonly<Record<string, string>>
}

export interface ProcessRecords {
  write(record: ContainerRecord): Promise<void>
  read(id: string): Promise<ContainerRecord | undefined>
  all(): Promise<readonly ContainerRecord[]>
  /** Its processes, as far as the supervisor has noted them. */
  pidsOf(id: string): Promise<Pids | undefined>
  hasEnded(id: string): Promise<boolean>
  observe(record: ContainerRecord): Promise<ObservedContainer>
  remove(id: string): Promise<void>
  directoryOf(id: string): string
}

/** 128 and the signal's number is what a shell makes of a death by signal; 9 is SIGKILL (POSIX, section 2.8.2). */
const killedCode = 128 + 9

export const createProcessRecords = (paths: ProcessPaths, table: ProcessTable, clock: Clock): ProcessRecords => {
  const directoryOf = (id: string) => join(paths.containers, id)
  const fileOf = (id: string, name: string) => join(directoryOf(id), name)

  const read = async (id: string) => {
    const text = await readText(fileOf(id, 'record.json'))
    return text === undefined ? undefined : (JSON.parse(text) as ContainerRecord)
  }
  const pidsOf = async (id: string) => parsePids((await readText(fileOf(id, 'pids'))) ?? '')
  const exitOf = async (id: string) => parseExit((await readText(fileOf(id, 'exit'))) ?? '')

  /** The supervisor was killed before it could note the end: what it left behind ends too, as when an init dies. */
  const endOrphans = async (record: ContainerRecord, pids: Pids) => {
    const noted = await exitOf(record.id)
    if (noted) return noted
    await killGroup(table, pids.supervisor, record.token)
    const atS = Math.floor(clock.wallMs() / 1000)
    await writeWhole(fileOf(record.id, 'exit'), `${killedCode} ${atS}\n`)
    return { code: killedCode, atMs: atS * 1000 }
  }

  const observe = async (record: ContainerRecord): Promise<ObservedContainer> => {
    const { id, owner, imageDigest, startedAtMs } = record
    const base = { id, owner, imageDigest, startedAtMs }
    const pids = await pidsOf(id)
    if (!pids) return { ...base, state: 'created', pid: 0 }
    const noted = await exitOf(id)
    if (!noted && (await table.carries(pids.supervisor, record.token)))
      return { ...base, state: 'running', pid: pids.program }
    const { code, atMs } = noted ?? (await endOrphans(record, pids))
    const exitReason = code > 128 ? 'killed' : 'exited'
    return { ...base, state: 'exited', pid: 0, exitCode: code, exitReason, exitedAtMs: atMs }
  }

  return {
    write: (record) => writeWhole(fileOf(record.id, 'record.json'), JSON.stringify(record)),
    read,
    all: async () => {
      const found = await Promise.all((await readdir(paths.containers)).toSorted().map(read))
      return found.filter((record) => record !== undefined)
    },
    pidsOf,
    hasEnded: async (id) => (await exitOf(id)) !== undefined,
    observe,
    remove: (id) => rm(directoryOf(id), { recursive: true, force: true }),
    directoryOf,
  }
}
