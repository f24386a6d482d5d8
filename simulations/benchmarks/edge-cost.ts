import { execFile, spawn } from 'node:child_process'
import { closeSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SkerryError } from '../../base/index.ts'
import type { NodeView } from '../../node/index.ts'
import { commandLines, createWorld, type DemoNode, getJson, pause, type World } from '../demo/index.ts'
import { alone, type BenchOptions, type BenchRow, stated } from './bench-row.ts'

const run = promisify(execFile)
const project = join(import.meta.dirname, '..', '..')
const mib = 2 ** 20
/** How long an edge is left alone before its memory is read. */
const idleMs = 10_000
const readyTimeoutMs = 30_000
const pollMs = 4
const barRssMib = 100
const barReadyMs = 1_000

/** Third-party packages in the bundle of an edge; the command line alone uses the others. */
const edgePackages = [
  ['@grpc/grpc-js'],
  ['@grpc/proto-loader'],
  ['fastify'],
  // The one does not load without the other.
  ['reflect-metadata', '@peculiar/x509'],
  ['yaml'],
  ['zod'],
  ['tar-stream'],
] as const

const memoryOf = (pid: number): { readonly rss: number; readonly anon: number } => {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) => (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024) / mib
  return { rss: field('VmRSS'), anon: field('RssAnon') }
}

const isGone = (pid: number): boolean => {
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ''
  return stat === '' || stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
}

const end = async (pid: number, signal: NodeJS.Signals): Promise<void> => {
  process.kill(pid, signal)
  const endMs = performance.now() + readyTimeoutMs
  while (!isGone(pid)) {
    if (performance.now() > endMs) throw new SkerryError('timeout', `process ${pid} did not end after ${signal}`)
    await pause(pollMs)
  }
}

const runtimeIsUp = async (edge: DemoNode): Promise<boolean> => {
  const view = await getJson<NodeView>(edge['api-socket'], '/v1/state/node').catch(() => undefined)
  return view?.runtime?.state === 'up'
}

/** The command line by which `skerry up` started a node. */
const commandOf = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)

interface Started {
  readonly pid: number
  /** From the start of the process until its API answers that its engine answered, in milliseconds. */
  readonly readyMs: number
}

const startEdge = async (edge: DemoNode, command: readonly string[]): Promise<Started> => {
  const [program = '', ...args] = command
  const log = openSync(`${edge['data-dir']}.bench.log`, 'a')
  const startedMs = performance.now()
  const child = spawn(program, args, { detached: true, stdio: ['ignore', log, log], cwd: '/' })
  closeSync(log)
  while (!(await runtimeIsUp(edge))) {
    if (performance.now() - startedMs > readyTimeoutMs || child.exitCode !== null)
      throw new SkerryError('not-ready', `the edge was not ready in ${readyTimeoutMs / 1000} s`)
    await pause(pollMs)
  }
  const readyMs = performance.now() - startedMs
  child.unref()
  return { pid: child.pid ?? 0, readyMs }
}

const engineOf = async (edge: DemoNode): Promise<number> => {
  const config = join(edge['run-dir'], 'containerd', 'config.toml')
  const found = (await commandLines()).find(({ command }) => command.includes(`--config ${config}`))
  if (!found) throw new SkerryError('no-engine', 'the edge of the benchmark has no containerd of its own')
  return found.pid
}

const edgeRows = async (world: World, { runs, say, signal }: BenchOptions): Promise<readonly BenchRow[]> => {
  await world.up()
  const edge = world.node('edge')
  const command = commandOf(edge.pid)
  await world.until('the engine to answer', readyTimeoutMs, async () => (await runtimeIsUp(edge)) || undefined)
  const figures = { rss: [] as number[], anon: [] as number[], ready: [] as number[], cold: [] as number[] }
  let { pid } = edge
  for (let round = 0; round < runs; round++) {
    signal.throwIfAborted()
    await end(pid, 'SIGTERM')
    const warm = await startEdge(edge, command)
    await pause(idleMs)
    const { rss, anon } = memoryOf(warm.pid)
    await end(warm.pid, 'SIGTERM')
    await end(await engineOf(edge), 'SIGKILL')
    const cold = await startEdge(edge, command)
    pid = cold.pid
    figures.rss.push(rss)
    figures.anon.push(anon)
    figures.ready.push(warm.readyMs)
    figures.cold.push(cold.readyMs)
    const times = `ready in ${warm.readyMs.toFixed(0)} ms, with its engine ${cold.readyMs.toFixed(0)} ms`
    say(`edge ${round + 1}/${runs}: ${rss.toFixed(1)} MiB resident, ${anon.toFixed(1)} anonymous; ${times}`)
  }
  return [
    alone('rss-edge', 'MiB', barRssMib, figures.rss),
    stated('rss-edge-anon', 'MiB', figures.anon),
    alone('ready', 'ms', barReadyMs, figures.ready),
    stated('ready-cold', 'ms', figures.cold),
    ...(await importRows(command, runs)),
  ]
}

/** Resident memory of a process that did nothing but import `packages`, in MiB. */
const rssAfterImport = async (flags: readonly string[], packages: readonly string[]): Promise<number> => {
  const imports = packages.map((name) => `await import(${JSON.stringify(name)});`).join('')
  const script = `${imports} process.stdout.write(String(process.memoryUsage.rss()))`
  const { stdout } = await run(process.execPath, [...flags, '--input-type=module', '-e', script], { cwd: project })
  return Number(stdout) / mib
}

const importRows = async (command: readonly string[], runs: number): Promise<readonly BenchRow[]> => {
  const flags = command.slice(
    1,
    command.findIndex((word, at) => at > 0 && !word.startsWith('-')),
  )
  const bare: number[] = []
  const added = new Map<string, number[]>(edgePackages.map((names) => [names.join('+'), []]))
  for (let round = 0; round < runs; round++) {
    const empty = await rssAfterImport(flags, [])
    bare.push(empty)
    for (const names of edgePackages) added.get(names.join('+'))?.push((await rssAfterImport(flags, names)) - empty)
  }
  return [
    stated('rss-node', 'MiB', bare),
    ...[...added].map(([name, figures]) => stated(`rss-import ${name}`, 'MiB', figures)),
  ]
}

/** Rows of memory and of the time to be ready. @param dir a folder of the benchmark's own */
export const edgeCost = async (dir: string, options: BenchOptions): Promise<readonly BenchRow[]> => {
  const programDir = join(dir, 'program')
  mkdirSync(dir, { recursive: true })
  cpSync(join(project, 'dist'), programDir, { recursive: true })
  const home = join(dir, 'tree')
  const program = [process.execPath, join(programDir, 'skerry.mjs')] as const
  const world = createWorld({ home, driver: 'containerd', topology: 'single-site', program, say: options.say })
  try {
    return await edgeRows(world, options)
  } finally {
    if (existsSync(join(home, 'home.json'))) await world.skerry(['down', '--remove'])
    rmSync(programDir, { recursive: true, force: true })
  }
}
