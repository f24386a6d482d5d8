import { spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { networkInterfaces, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { type Clock, errorText, type Random, randomHex, SkerryError, sleep } from '../../base/index.ts'
import { isProcessAlive } from '../powers/index.ts'
import type { HomeRecord } from './home.ts'
import { type NodeLayout, nodeFile } from './tree-layout.ts'

/** What a running node writes beside its sockets: how to reach it and which process it is. */
export interface NodeRecord {
  readonly pid: number
  readonly name: string
  readonly role: string
  readonly httpsUrl: string
  readonly fingerprint: string
  readonly apiSocket: string
  /** 64 hexadecimal digits. */
  readonly networkId: string
}

export interface LocalTreePowers {
  readonly clock: Clock
  readonly random: Random
  /** Program and first arguments that run a node. */
  readonly nodeProgram: readonly [string, ...string[]]
}

const nodeStartTimeoutMs = 60_000
const nodeStopTimeoutMs = 30_000
const keptLogBytes = 8 * 2 ** 20

/** Where sockets of trees of this user live. Root has /run; others a folder of their own below the temporary one. */
const defaultRunBase = (id: string): string => {
  const { uid, username } = userInfo()
  return uid === 0 ? `/run/skerry/${id}` : join(tmpdir(), `skerry-${uid === -1 ? username : uid}`, id)
}

/** A place in 10.64.0.0/10 that no device of this machine uses now, 32 subnets long. */
const freeSubnetBase = (random: Random): number => {
  const used = new Set(
    Object.values(networkInterfaces())
      .flat()
      .map((device) => device?.address.split('.'))
      .filter((parts) => parts?.[0] === '10')
      .map((parts) => Number(parts?.[1]) * 256 + Number(parts?.[2])),
  )
  for (let tries = 0; tries < 100; tries++) {
    const base = 64 * 256 + Math.floor(random.unit() * 2 ** 9) * 32
    if (!Array.from({ length: 32 }, (_, n) => base + n).some((subnet) => used.has(subnet))) return base
  }
  throw new SkerryError('no-free-subnet', 'no free subnet in 10.64.0.0/10: this machine has devices in all of them')
}

export const tokenFileOf = (home: string): string => join(home, 'token')

/** Nodes of a tree listen below the ports of applications; each tree has 32 in a row. */
const firstMeshPort = 18_000
const meshPortSlots = 62

/** Ports of this machine that somebody listens at, as far as the kernel says (proc(5), net/tcp); none where it does not. */
const takenPorts = (): ReadonlySet<number> => {
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) =>
    existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [],
  )
  const listening = lines.map((line) => /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ 0A /.exec(line)?.[1])
  return new Set(listening.flatMap((port) => (port === undefined ? [] : [Number.parseInt(port, 16)])))
}

/** Ports in a row that no other tree on this machine uses now. */
const freeMeshPortBase = (random: Random): number => {
  const taken = takenPorts()
  for (let tries = 0; tries < 100; tries++) {
    const base = firstMeshPort + Math.floor(random.unit() * meshPortSlots) * 32
    if (!Array.from({ length: 32 }, (_, n) => base + n).some((port) => taken.has(port))) return base
  }
  throw new SkerryError('no-free-ports', `no 32 free ports in a row from ${firstMeshPort}: end another tree first`)
}

/** Draws what must be the home's own, once. */
export const newPlace = (random: Random): Pick<HomeRecord, 'id' | 'runBase' | 'subnetBase' | 'meshPortBase'> => {
  const id = randomHex(random, 4)
  const [subnetBase, meshPortBase] = [freeSubnetBase(random), freeMeshPortBase(random)]
  return { id, runBase: defaultRunBase(id), subnetBase, meshPortBase }
}

/** Writes the bearer token once; mode 600. */
export const makeToken = (home: string, random: Random): void => {
  const path = tokenFileOf(home)
  if (existsSync(path)) return
  writeFileSync(path, `${randomHex(random, 32)}\n`, { mode: 0o600 })
  chmodSync(path, 0o600)
}

/** The record of a node that runs now, or undefined. A record left by a dead process is none. */
export const runningNode = (node: NodeLayout): NodeRecord | undefined => {
  try {
    const record = JSON.parse(readFileSync(join(node.runDir, 'node.json'), 'utf8')) as NodeRecord
    return record.name === node.name && isProcessAlive(record.pid) ? record : undefined
  } catch {
    return undefined
  }
}

const lastLines = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim().split('\n').slice(-5).join('\n')
  } catch {
    return '(no log)'
  }
}

/** Waits until `done` answers something, asking every 20 ms. */
const until = async <Value>(
  clock: Clock,
  timeoutMs: number,
  done: () => Value | undefined,
): Promise<Value | undefined> => {
  const endMs = clock.monotonicMs() + timeoutMs
  for (;;) {
    const value = done()
    if (value !== undefined || clock.monotonicMs() > endMs) return value
    await sleep(clock, 20)
  }
}

/**
 * Starts one node in a process of its own that outlives us, unless it runs already.
 * @throws {SkerryError} `node-start-failed` with the end of its log
 */
export const startNode = async (
  home: string,
  record: HomeRecord,
  node: NodeLayout,
  powers: LocalTreePowers,
): Promise<NodeRecord> => {
  const running = runningNode(node)
  if (running) return running
  mkdirSync(node.dataDir, { recursive: true, mode: 0o700 })
  mkdirSync(node.runDir, { recursive: true, mode: 0o700 })
  rmSync(join(node.runDir, 'node.json'), { force: true })
  const parents = record.nodes.filter(({ name }) => node.parents.includes(name))
  const fellows = record.nodes.filter(
    ({ name, role, scope }) =>
      role === 'aggregator' && role === node.role && scope === node.scope && name !== node.name,
  )
  const file = nodeFile(node, {
    networkId: record.networkId,
    tokenFile: tokenFileOf(home),
    runtime: record.runtime,
    parents,
    fellows,
    detour: record.detours?.[node.name],
    logLevel: 'info',
  })
  writeFileSync(node.configFile, file, { mode: 0o600 })
  if (existsSync(node.logFile) && statSync(node.logFile).size > keptLogBytes)
    renameSync(node.logFile, `${node.logFile}.1`)
  const log = openSync(node.logFile, 'a', 0o600)
  const [program, ...first] = powers.nodeProgram
  const child = spawn(program, [...first, '--config', node.configFile], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
  })
  closeSync(log)
  const exit: { code?: number | null; error?: string } = {}
  child.on('exit', (code) => {
    exit.code = code
  })
  child.on('error', (error) => {
    exit.error = errorText(error)
  })
  const started = await until(powers.clock, nodeStartTimeoutMs, () => {
    if (exit.code !== undefined || exit.error !== undefined) return 'exited' as const
    const found = runningNode(node)
    return found?.pid === child.pid ? found : undefined
  })
  child.unref()
  if (typeof started === 'object') return started
  const why = started === 'exited' ? (exit.error ?? `it ended with code ${exit.code}`) : 'it was not ready after 60 s'
  throw new SkerryError('node-start-failed', `${node.name} did not start: ${why}\n${lastLines(node.logFile)}`, {
    details: { log: node.logFile },
  })
}

/** Ends a node's process politely, then by force. Containers run on. */
export const stopNode = async (node: NodeLayout, clock: Clock): Promise<boolean> => {
  const running = runningNode(node)
  if (!running) return false
  process.kill(running.pid, 'SIGTERM')
  const gone = () => (isProcessAlive(running.pid) ? undefined : true)
  if (!(await until(clock, nodeStopTimeoutMs, gone))) {
    process.kill(running.pid, 'SIGKILL')
    await until(clock, nodeStopTimeoutMs, gone)
  }
  return true
}
