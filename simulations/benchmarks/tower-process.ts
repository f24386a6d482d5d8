import { spawn } from 'node:child_process'
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { SkerryError } from '../../base/index.ts'
import type { NodeView } from '../../node/index.ts'
import { getJson, pause } from '../demo/index.ts'
import { cpuSecondsOf, endProcess } from './process-cost.ts'

const project = join(import.meta.dirname, '..', '..')
const pollMs = 4
const readyTimeoutMs = 120_000
const quietTimeoutMs = 300_000
/** A process that used no more than `quietSeconds` of processor time for so long has done what it was asked. */
const quietMs = 1_500
const quietSeconds = 0.02

/** Ten thousand sites of one host each, right below the towers. */
const topologyOf = (sites: number): string => `version: 1
network: bench
towers:
  site: headquarters
  hosts:
    - name: tower
sites:
  - name: "shop-{00001..${String(sites).padStart(5, '0')}}"
    labels:
      shop.example/size: small
    hosts:
      - name: "{site}-till"
`

/** The tower of the benchmark in a process of its own, from the bundle, as the installed program runs it. */
export interface TowerProcess {
  readonly pid: number
  /** From the start of the process until its API answered, in milliseconds. */
  readonly readyMs: number
  send(method: string, path: string, body: string | Uint8Array, mediaType: string): Promise<void>
  /**
   * Waits until the process has nothing to do.
   * @returns when it last worked, in milliseconds of `performance.now`
   */
  quiet(): Promise<number>
  stop(): Promise<void>
}

export interface TowerFolder {
  readonly dataDir: string
  start(): Promise<TowerProcess>
}

const send = (socketPath: string, method: string, path: string, body: string | Uint8Array, mediaType: string) =>
  new Promise<void>((resolve, reject) => {
    const headers = { 'content-type': mediaType, 'content-length': Buffer.byteLength(body) }
    const asked = request({ socketPath, method, path, headers }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (bytes: Buffer) => parts.push(bytes))
      response.on('error', reject)
      response.on('end', () => {
        if ((response.statusCode ?? 500) < 300) return resolve()
        const text = Buffer.concat(parts).toString().slice(0, 300)
        reject(new SkerryError('request-failed', `${method} ${path}: ${response.statusCode} ${text}`))
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })

const quietProcess = async (pid: number): Promise<number> => {
  const endMs = performance.now() + quietTimeoutMs
  let since = { atMs: performance.now(), cpu: cpuSecondsOf(pid) }
  for (;;) {
    await pause(50)
    const [nowMs, cpu] = [performance.now(), cpuSecondsOf(pid)]
    if (cpu - since.cpu > quietSeconds) since = { atMs: nowMs, cpu }
    else if (nowMs - since.atMs > quietMs) return since.atMs
    if (nowMs > endMs)
      throw new SkerryError('timeout', `the tower worked for ${quietTimeoutMs / 1000} s without a pause`)
  }
}

/** Lays out a tower that has never run. @param dir a folder of the benchmark's own, on the disk the product would use */
export const layTower = (dir: string, sites: number): TowerFolder => {
  const file = (name: string) => join(dir, name)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  cpSync(join(project, 'dist'), file('program'), { recursive: true })
  writeFileSync(file('topology.yaml'), topologyOf(sites))
  writeFileSync(file('token'), `${'bench'.repeat(8)}\n`, { mode: 0o600 })
  const [dataDir, runDir, logFile] = [file('data'), file('run'), file('tower.log')]
  const options = {
    name: 'tower',
    role: 'tower',
    scope: '/',
    topology: file('topology.yaml'),
    'data-dir': dataDir,
    'run-dir': runDir,
    'mesh-listen': '127.0.0.1:0',
    'api-listen': '127.0.0.1:0',
    'token-file': file('token'),
  }
  const args = Object.entries(options).flatMap(([flag, value]) => [`--${flag}`, value])
  const socketPath = join(runDir, 'api.sock')
  const answers = () => getJson<NodeView>(socketPath, '/v1/state/node').catch(() => undefined)
  return {
    dataDir,
    start: async () => {
      const log = openSync(logFile, 'a')
      // The flag of the installed program (scripts/bin/skerry-tower.mjs).
      const nodeArgs = ['--max-semi-space-size=16', join(dir, 'program', 'skerry-node.mjs'), ...args]
      const startedMs = performance.now()
      const child = spawn(process.execPath, nodeArgs, { stdio: ['ignore', log, log], cwd: '/' })
      closeSync(log)
      const pid = child.pid ?? 0
      while ((await answers())?.pid !== pid) {
        const late = performance.now() - startedMs > readyTimeoutMs
        if (late) child.kill('SIGKILL')
        if (late || child.exitCode !== null)
          throw new SkerryError(
            'not-ready',
            `the tower ${late ? `was not ready in ${readyTimeoutMs / 1000} s` : `ended with ${child.exitCode}`}: ${readFileSync(logFile, 'utf8').slice(-500)}`,
          )
        await pause(pollMs)
      }
      const readyMs = performance.now() - startedMs
      return {
        pid,
        readyMs,
        send: (method, path, body, mediaType) => send(socketPath, method, path, body, mediaType),
        quiet: () => quietProcess(pid),
        stop: () => endProcess(pid, 'SIGTERM'),
      }
    },
  }
}
