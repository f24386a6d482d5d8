import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { dirname, join } from 'node:path'
import { errorText, SkerryError } from '../../base/index.ts'
import type { ServiceInstanceView } from '../../node/index.ts'
import type { TcpProxy } from './tcp-proxy.ts'

/** A node of the demo's tree as `skerry up --json` told of it. */
export interface DemoNode {
  readonly name: string
  readonly role: string
  readonly pid: number
  /** The zone it runs, or its site: `/north/n1`. */
  readonly scope: string
  /** Empty but for an edge. */
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
  /** The node the demo shows for a role: the first. @throws {SkerryError} `no-such-node` */
  node(role: string): DemoNode
  /** @throws {SkerryError} `no-such-node` */
  named(name: string): DemoNode
  /** Names of the sites, the one that the demo shows first. */
  sites(): readonly string[]
  /** The edges of a site. @default of the first one */
  hostsOf(site?: string): readonly DemoNode[]
  /** Runs `skerry` and answers what it printed. @throws {SkerryError} `command-failed` when it ends with another code. */
  skerry(args: readonly string[], expectedCode?: number): Promise<Ran>
  /** Like `skerry`, whatever code it ends with. */
  ask(args: readonly string[]): Promise<Ran>
  /** Starts what does not run. */
  up(): Promise<void>
  /** Starts one node and no other. */
  upOnly(node: string): Promise<void>
  /**
   * Starts a node from the files on its disk alone, as a machine does that comes up by itself.
   * @param env beside the demo's own @default nothing
   */
  powerOn(node: DemoNode, env?: Readonly<Record<string, string>>): Promise<void>
  /** The cable between a node and its parent. @throws {SkerryError} `no-such-node` where there is none to pull */
  cable(node: string): TcpProxy
  get<Answer>(node: DemoNode, path: string): Promise<Answer>
  /** Instances of `application` at a site, as its edges themselves say; by name. @default the first site */
  instances(application: string, site?: string): Promise<readonly ServiceInstanceView[]>
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
export const httpBody = (port: number, path = '/'): Promise<string> =>
  new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, timeout: 2_000, agent: false }, (response) => {
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
  /** Whether the person wants it to end: then nothing is waited for any more. @default never */
  readonly isInterrupted?: () => boolean
  /** Cables between nodes and their parents, by the name of the node. @default none */
  readonly cables?: Readonly<Record<string, TcpProxy>>
}): World => {
  let nodes: readonly DemoNode[] = []
  const [program, ...first] = options.program
  const ask = (args: readonly string[]) => runProgram(program, [...first, '--home', options.home, ...args])
  const skerry = async (args: readonly string[], expectedCode = 0): Promise<Ran> => {
    const ran = await ask(args)
    if (ran.code !== expectedCode)
      throw new SkerryError(
        'command-failed',
        `skerry ${args.join(' ')} ended with ${ran.code}: ${ran.stderr || ran.stdout}`,
      )
    return ran
  }
  const found = (what: string, isIt: (node: DemoNode) => boolean) => {
    const node = nodes.find(isIt)
    if (!node) throw new SkerryError('no-such-node', `the demo's tree has no ${what}`)
    return node
  }
  const edges = () => nodes.filter(({ role }) => role === 'edge')
  const sites = () => [...new Set(edges().map(({ site }) => site))]
  const hostsOf = (site = sites()[0]) => edges().filter((edge) => edge.site === site)
  /** In the order of the tree, which is how all of them are told of. */
  const merge = (started: readonly DemoNode[]) => {
    const others = started.filter(({ name }) => !nodes.some((one) => one.name === name))
    nodes = [...nodes.map((one) => started.find(({ name }) => name === one.name) ?? one), ...others]
  }
  const cables = Object.entries(options.cables ?? {})
  const up = async (only: readonly string[]) => {
    const vias = only.length > 0 ? [] : cables.flatMap(([name, { address }]) => ['--via', `${name}=${address}`])
    const ran = await skerry(['up', options.topology, '--runtime', options.driver, '--json', ...vias, ...only])
    merge((JSON.parse(ran.stdout) as { nodes: DemoNode[] }).nodes)
  }
  const get = <Answer>(of: DemoNode, path: string) => getJson<Answer>(of['api-socket'], path)
  return {
    home: options.home,
    driver: options.driver,
    say: options.say,
    nodes: () => nodes,
    node: (role) => found(role, (one) => one.role === role),
    named: (name) => found(name, (one) => one.name === name),
    sites,
    hostsOf,
    skerry,
    ask,
    up: () => up([]),
    upOnly: (name) => up(['--node', name]),
    powerOn: async (node, env = {}) => {
      const log = openSync(join(node['data-dir'], 'node.log'), 'a', 0o600)
      const nodeProgram = join(dirname(first.at(-1) ?? ''), 'skerry-node.mjs')
      const args = ['--max-semi-space-size=1', nodeProgram, '--config', join(node['data-dir'], 'node.yaml')]
      mkdirSync(node['run-dir'], { recursive: true, mode: 0o700 })
      const child = spawn(program, args, {
        detached: true,
        stdio: ['ignore', log, log],
        cwd: '/',
        env: { ...process.env, ...env },
      })
      closeSync(log)
      child.unref()
      if (child.pid === undefined) throw new SkerryError('node-start-failed', `${node.name} did not start`)
      merge([{ ...node, pid: child.pid }])
    },
    cable: (name) => {
      const cable = options.cables?.[name]
      if (cable === undefined) throw new SkerryError('no-such-node', `there is no cable to pull at ${name}`)
      return cable
    },
    get,
    instances: async (application, site) => {
      const path = `/v1/state/applications/${application}/service-instances`
      const all = await Promise.all(hostsOf(site).map((host) => get<readonly ServiceInstanceView[]>(host, path)))
      return all.flat().toSorted((a, b) => (a.name < b.name ? -1 : 1))
    },
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
        if (options.isInterrupted?.()) throw new SkerryError('interrupted', `interrupted while waiting for ${what}`)
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
