import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { errorText, SkerryError } from '../../base/index.ts'
import type { ServiceInstanceView } from '../../node/index.ts'

/** A node of the demo's tree as `skerry up --json` told of it. */
export interface DemoNode {
  readonly name: string
  readonly role: string
  readonly pid: number
  readonly site: string
  readonly 'api-socket': string
  readonly 'run-dir': string
  readonly 'data-dir': string
  readonly bridge?: string
}

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The demo's hands: the command line in a process of its own, and requests to nodes and containers. */
export interface World {
  readonly home: string
  readonly driver: 'containerd' | 'process'
  readonly say: (line: string) => void
  nodes(): readonly DemoNode[]
  /** The node the demo shows for a role. @throws {SkerryError} `no-such-node` */
  node(role: string): DemoNode
  /** Runs `skerry` and answers what it printed. @throws {SkerryError} `command-failed` when it ends with another code. */
  skerry(args: readonly string[], expectedCode?: number): Promise<Ran>
  /** Starts what does not run. */
  up(): Promise<void>
  /** Starts one node and no other. */
  upOnly(node: string): Promise<void>
  get<Answer>(node: DemoNode, path: string): Promise<Answer>
  /** Instances of `application`, as the edge itself says. */
  instances(application: string): Promise<readonly ServiceInstanceView[]>
  /** Asks until `found` answers something; refuses after `timeoutMs`, saying what was seen last. */
  until<Value>(what: string, timeoutMs: number, found: () => Promise<Value | undefined>): Promise<Value>
}

const runProgram = (program: string, args: readonly string[]): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes))
    child.stderr.on('data', (bytes: Buffer) => err.push(bytes))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ code: code ?? 1, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
    )
  })

/** One GET over a node's own socket. */
export const getJson = <Answer>(socketPath: string, path: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asked = request(
      { socketPath, path, headers: { accept: 'application/json' }, timeout: 10_000 },
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (bytes: Buffer) => parts.push(bytes))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(parts).toString()
          if (response.statusCode === 200) return resolve(JSON.parse(text) as Answer)
          reject(new SkerryError('request-failed', `${path}: ${response.statusCode} ${text.slice(0, 300)}`))
        })
      },
    )
    asked.on('timeout', () => asked.destroy(new Error('no answer in 10 s')))
    asked.on('error', reject)
    asked.end()
  })

/** The body an application answers at a port of this machine. */
export const httpBody = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path: '/', timeout: 2_000, agent: false }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (bytes: Buffer) => parts.push(bytes))
      response.on('error', reject)
      response.on('end', () => resolve(Buffer.concat(parts).toString()))
    })
    asked.on('timeout', () => asked.destroy(new Error('no answer in 2 s')))
    asked.on('error', reject)
    asked.end()
  })

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export const createWorld = (options: {
  readonly home: string
  readonly driver: 'containerd' | 'process'
  readonly topology: string
  /** Program and first arguments of the command line. */
  readonly program: readonly [string, ...string[]]
  readonly say: (line: string) => void
}): World => {
  let nodes: readonly DemoNode[] = []
  const [program, ...first] = options.program
  const skerry = async (args: readonly string[], expectedCode = 0): Promise<Ran> => {
    const ran = await runProgram(program, [...first, '--home', options.home, ...args])
    if (ran.code !== expectedCode)
      throw new SkerryError(
        'command-failed',
        `skerry ${args.join(' ')} ended with ${ran.code}: ${ran.stderr || ran.stdout}`,
      )
    return ran
  }
  const node = (role: string) => {
    const all = nodes.filter((one) => one.role === role)
    // A host that is alone at its site runs all that its site is to run.
    const found = all.find(({ site }) => all.filter((one) => one.site === site).length === 1) ?? all[0]
    if (!found) throw new SkerryError('no-such-node', `the demo's tree has no ${role}`)
    return found
  }
  const up = async (only: readonly string[]) => {
    const ran = await skerry(['up', options.topology, '--runtime', options.driver, '--json', ...only])
    nodes = (JSON.parse(ran.stdout) as { nodes: DemoNode[] }).nodes
  }
  const get = <Answer>(of: DemoNode, path: string) => getJson<Answer>(of['api-socket'], path)
  return {
    home: options.home,
    driver: options.driver,
    say: options.say,
    nodes: () => nodes,
    node,
    skerry,
    up: () => up([]),
    upOnly: (name) => up(['--node', name]),
    get,
    instances: (application) => get(node('edge'), `/v1/state/applications/${application}/service-instances`),
    until: async (what, timeoutMs, found) => {
      const endMs = performance.now() + timeoutMs
      let last = 'nothing yet'
      for (;;) {
        try {
          const value = await found()
          if (value !== undefined) return value
        } catch (error) {
          last = errorText(error)
        }
        if (performance.now() > endMs)
          throw new SkerryError('timeout', `waited ${timeoutMs / 1000} s for ${what}; last: ${last}`)
        await pause(50)
      }
    },
  }
}

/** Processes of this machine, from /proc, or from ps where there is none. */
export const commandLines = async (): Promise<readonly { pid: number; command: string }[]> => {
  const { stdout } = await runProgram('ps', ['-A', '-o', 'pid=', '-o', 'command='])
  return stdout.split('\n').flatMap((line) => {
    const parts = /^\s*(\d+)\s+(.*)$/.exec(line)
    return parts ? [{ pid: Number(parts[1]), command: parts[2] ?? '' }] : []
  })
}

export const demoRecord = (home: string): { readonly runBase: string } =>
  (JSON.parse(readFileSync(join(home, 'home.json'), 'utf8')) as { value: { runBase: string } }).value
