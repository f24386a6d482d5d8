import { execFile, spawn } from 'node:child_process'
import { closeSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SkerryError } from '../../base/index.ts'
import type { NodeView } from '../../node/index.ts'
import { commandLines, createWorld, type DemoNode, getJson, pause, type World } from '../demo/index.ts'
import { alone, type BenchOptions, type BenchRow, stated, unmeasured } from './bench-row.ts'
import { endProcess, memoryOf } from './process-cost.ts'

const run = promisify(execFile)
const project = join(import.meta.dirname, '..', '..')
/** Megabytes are powers of ten here. */
const mb = 1_000_000
/** How long an edge is left alone before its memory is read. */
const idleMs = 10_000
const readyTimeoutMs = 30_000
const pollMs = 4
const barRssMb = 120
const barAnonMb = 75
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
  ['automerge'],
  ['yjs'],
  ['level'],
  ['libp2p', '@chainsafe/libp2p-noise', '@libp2p/yamux', '@libp2p/tcp', '@libp2p/websockets'],
] as const

const runtimeIsUp = async (edge: DemoNode): Promise<boolean> => {
  const view = await getJson<NodeView>(edge['api-socket'], '/v1/state/node').catch(() => undefined)
  return view?.runtime?.state === 'up'
}

/** A link takes a moment after the engine answers. @throws {SkerryError} `not-linked`: without it less is in memory */
const demandLink = async (edge: DemoNode): Promise<void> => {
  const { parent } = await getJson<NodeView>(edge['api-socket'], '/v1/state/node')
  if (parent?.link !== 'up')
    throw new SkerryError('not-linked', `the edge has not joined: ${parent?.error ?? 'no link'}`)
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
    await endProcess(pid, 'SIGTERM')
    const warm = await startEdge(edge, command)
    await pause(idleMs)
    await demandLink(edge)
    const { rss, anon } = memoryOf(warm.pid)
    await endProcess(warm.pid, 'SIGTERM')
    await endProcess(await engineOf(edge), 'SIGKILL')
    const cold = await startEdge(edge, command)
    pid = cold.pid
    figures.rss.push(rss)
    if (anon !== undefined) figures.anon.push(anon)
    figures.ready.push(warm.readyMs)
    figures.cold.push(cold.readyMs)
    const times = `ready in ${warm.readyMs.toFixed(0)} ms, with its engine ${cold.readyMs.toFixed(0)} ms`
    say(
      `edge ${round + 1}/${runs}: ${rss.toFixed(1)} MB resident, ${anon?.toFixed(1) ?? 'unknown'} anonymous; ${times}`,
    )
  }
  return [
    alone('rss-edge', 'MB', barRssMb, figures.rss),
    figures.anon.length === runs
      ? alone('rss-edge-anon', 'MB', barAnonMb, figures.anon)
      : unmeasured('rss-edge-anon', 'MB', barAnonMb, 'this kernel has no RssAnon in /proc/PID/status'),
    alone('ready', 'ms', barReadyMs, figures.ready),
    stated('ready-cold', 'ms', figures.cold),
    ...(await importRows(command, runs)),
  ]
}

/** Resident memory of a process that did nothing but import `packages`, in MB. */
const rssAfterImport = async (flags: readonly string[], packages: readonly string[]): Promise<number> => {
  const imports = packages.map((name) => `await import(${JSON.stringify(name)});`).join('')
  const script = `${imports} process.stdout.write(String(process.memoryUsage.rss()))`
  const { stdout } = await run(process.execPath, [...flags, '--input-type=module', '-e', script], { cwd: project })
  return Number(stdout) / mb
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
    stated('rss-node', 'MB', bare),
    ...[...added].map(([name, figures]) => stated(`rss-import ${name}`, 'MB', figures)),
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
