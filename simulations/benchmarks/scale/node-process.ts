import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { SkerryError } from '../../../base/index.ts'
import type { NodeView } from '../../../node/index.ts'
import { pause } from '../../demo/index.ts'
import { endProcess } from '../process-cost.ts'

const readyTimeoutMs = 300_000
const pollMs = 20
const answerWithinMs = 120_000

export interface Body {
  readonly type: string
  readonly content: string | Uint8Array
}

/** Asks a node over its own socket, by a connection of its own: one that was kept may be closed just then. @throws {SkerryError} `request-failed` */
const callNode = (socketPath: string, method: string, path: string, body?: Body): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const headers = {
      accept: 'application/json',
      ...(body && { 'content-type': body.type, 'content-length': Buffer.byteLength(body.content) }),
    }
    const asked = request({ agent: false, socketPath, method, path, headers, timeout: answerWithinMs }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (bytes: Buffer) => parts.push(bytes))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(parts).toString()
        if ((response.statusCode ?? 500) < 300) return resolve(text === '' ? undefined : JSON.parse(text))
        reject(new SkerryError('request-failed', `${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`))
      })
    })
    asked.on('timeout', () => asked.destroy(new Error(`${method} ${path}: no answer in ${answerWithinMs / 1_000} s`)))
    asked.on('error', reject)
    asked.end(body?.content)
  })

export interface NodePlace {
  readonly name: string
  readonly role: 'tower' | 'aggregator'
  readonly scope: string
  readonly topology: string
  readonly parents: readonly string[]
  readonly networkId: string
  readonly joinToken: string
}

export interface NodeProcessOptions {
  /** A folder of the benchmark's own; the node gets one in it by its name. */
  readonly dir: string
  /** The bundle. */
  readonly program: string
  /** Where the profiler of Node writes when the process ends. @default no profile is made */
  readonly profileDir?: string | undefined
}

/** A tower or an aggregator in a process of its own, from the bundle, as the installed program runs it. */
export interface NodeProcess {
  readonly name: string
  pid(): number
  /** `host:port` that children dial. */
  address(): string
  networkId(): string
  call<Answer>(method: string, path: string, body?: Body): Promise<Answer>
  /** Starts it, or starts it again at the same address, and waits until its API answers. */
  start(): Promise<void>
  /** @param signal what a machine that fails sends is SIGKILL @default SIGTERM */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/** The flags of the installed programs (scripts/bin): megabytes of young generation. */
const semiSpace = { tower: 16, aggregator: 16 } as const

export const createNodeProcess = (place: NodePlace, options: NodeProcessOptions): NodeProcess => {
  const folder = join(options.dir, place.name)
  const socketPath = join(folder, 'run', 'api.sock')
  let child: ChildProcess | undefined
  let starts = 0
  let view: NodeView | undefined
  let listen = '127.0.0.1:0'

  const call = async <Answer>(method: string, path: string, body?: Body) =>
    (await callNode(socketPath, method, path, body)) as Answer

  const start = async () => {
    const file = (name: string) => join(folder, name)
    mkdirSync(folder, { recursive: true })
    writeFileSync(file('topology.yaml'), place.topology)
    writeFileSync(file('token'), `${'bench'.repeat(8)}\n`, { mode: 0o600 })
    if (place.joinToken !== '') writeFileSync(file('join-token'), `${place.joinToken}\n`, { mode: 0o600 })
    const flags = {
      name: place.name,
      role: place.role,
      scope: place.scope,
      topology: file('topology.yaml'),
      'data-dir': file('data'),
      'run-dir': file('run'),
      'mesh-listen': listen,
      'api-listen': '127.0.0.1:0',
      'token-file': file('token'),
      'host-id': place.name,
      ...(place.parents.length > 0 && { parents: place.parents.join(',') }),
      ...(place.networkId !== '' && { 'network-id': place.networkId }),
      ...(place.joinToken !== '' && { 'join-token-file': file('join-token') }),
      ...(place.role === 'tower' && { time: 'trusted' }),
    }
    const args = [
      `--max-semi-space-size=${semiSpace[place.role]}`,
      ...(options.profileDir === undefined
        ? []
        : [
            '--cpu-prof',
            `--cpu-prof-dir=${options.profileDir}`,
            `--cpu-prof-name=${place.name}-${++starts}.cpuprofile`,
          ]),
      join(options.program, 'skerry-node.mjs'),
      ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]),
    ]
    const logFile = file('log')
    const log = openSync(logFile, 'a')
    const startedMs = performance.now()
    child = spawn(process.execPath, args, { stdio: ['ignore', log, log], cwd: '/' })
    closeSync(log)
    const failed = (words: string) =>
      new SkerryError('not-ready', `${place.name} ${words}: ${readFileSync(logFile, 'utf8').slice(-500)}`)
    for (;;) {
      view = await call<NodeView>('GET', '/v1/state/node').catch(() => undefined)
      if (view?.pid === child.pid) break
      if (child.exitCode !== null || child.signalCode !== null) throw failed(`ended with ${child.exitCode}`)
      if (performance.now() - startedMs > readyTimeoutMs) {
        child.kill('SIGKILL')
        throw failed(`was not ready in ${readyTimeoutMs / 1_000} s`)
      }
      await pause(pollMs)
    }
    listen = view?.addresses?.[0] ?? listen
  }

  return {
    name: place.name,
    pid: () => child?.pid ?? 0,
    address: () => listen,
    networkId: () => view?.['network-id'] ?? '',
    call,
    start,
    stop: async (signal = 'SIGTERM') => {
      if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null)
        await endProcess(child.pid, signal)
    },
  }
}
