import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { chmod, rm } from 'node:fs/promises'
import { type Clock, errorText, type Log, sleep } from '../../base/index.ts'
import { ContainersError } from '../containers-error.ts'
import { type ContainerdClient, connectContainerd } from './containerd-client.ts'
import { type ContainerdOptions, socketOf } from './containerd-options.ts'
import { findProcesses, type HostProcess, signalProcess } from './host-processes.ts'

type ChildEngine = Extract<ContainerdOptions['engine'], { kind: 'child' }>

/** How long a containerd that runs but does not answer is waited for before it is replaced, in milliseconds. */
const patienceMs = 15_000
const startTimeoutMs = 30_000
const pollMs = 25

export const configFile = ({ state }: ChildEngine): string => `${state}/config.toml`
const logFile = ({ state }: ChildEngine): string => `${state}/containerd.log`

/** Parts that are of no use here: each costs memory, time at start, or a socket. */
const disabledPlugins = [
  'io.containerd.grpc.v1.cri',
  'io.containerd.internal.v1.restart',
  'io.containerd.internal.v1.opt',
  'io.containerd.internal.v1.tracing',
  'io.containerd.tracing.processor.v1.otlp',
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.snapshotter.v1.blockfile',
  'io.containerd.nri.v1.nri',
]

/** The configuration of a containerd of our own (man containerd-config.toml, version 2). */
export const childConfig = (engine: ChildEngine, socket: string): string =>
  [
    'version = 2',
    `root = ${JSON.stringify(engine.root)}`,
    `state = ${JSON.stringify(engine.state)}`,
    `disabled_plugins = ${JSON.stringify(disabledPlugins)}`,
    '[grpc]',
    `  address = ${JSON.stringify(socket)}`,
    '[debug]',
    '  level = "warn"',
    '',
  ].join('\n')

/** The containerd processes that run with this configuration, also such as nobody remembers starting. */
export const engineProcesses = (engine: ChildEngine): HostProcess[] => {
  const config = configFile(engine)
  return findProcesses((args) => args.includes('--config') && args.includes(config))
}

const lastWords = (engine: ChildEngine): string => {
  try {
    return readFileSync(logFile(engine), 'utf8').trim().split('\n').slice(-3).join(' | ')
  } catch {
    return ''
  }
}

/** Starts containerd in its own session, so that it outlives us. */
const spawnEngine = (engine: ChildEngine, socket: string) => {
  for (const directory of [engine.root, engine.state]) mkdirSync(directory, { recursive: true, mode: 0o711 })
  writeFileSync(configFile(engine), childConfig(engine, socket))
  const output = openSync(logFile(engine), 'w')
  const child = spawn(engine.binary ?? 'containerd', ['--config', configFile(engine)], {
    detached: true,
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(errorText(error)))
    child.once('exit', (code, signal) => resolve(`it ended with ${code ?? signal}`))
  })
  child.unref()
  return ended
}

/** Whether containerd answers. */
const answers = (client: ContainerdClient): Promise<boolean> =>
  client.call('version.version', {}, { timeoutMs: 2_000 }).then(
    () => true,
    () => false,
  )

const waitUntilAnswers = async (socket: string, clock: Clock, timeoutMs: number, over: () => string | undefined) => {
  const deadlineMs = clock.monotonicMs() + timeoutMs
  const client = connectContainerd(socket, clock)
  try {
    while (clock.monotonicMs() < deadlineMs && over() === undefined) {
      if (await answers(client)) return true
      await sleep(clock, pollMs)
    }
    return false
  } finally {
    client.close()
  }
}

const unavailable = (what: string): ContainersError =>
  new ContainersError('engine-unavailable', `cannot reach containerd: ${what}`)

/**
 * Makes sure that containerd answers. The system's is only asked. A child is adopted when it answers, waited for when
 * it runs but does not answer yet, replaced when it stays mute, started when there is none.
 * @throws {ContainersError} `engine-unavailable` with its last words.
 */
export const ensureContainerd = async (
  options: ContainerdOptions,
  { clock, log }: { clock: Clock; log: Log },
): Promise<void> => {
  const { engine } = options
  const socket = socketOf(options)
  const probe = connectContainerd(socket, clock)
  try {
    if (await answers(probe)) return
  } finally {
    probe.close()
  }
  if (engine.kind === 'system') throw unavailable(`nothing answers at ${socket}; start it, or let the node run its own`)
  if (socket.length > 103) throw unavailable(`the path of its socket is too long for a socket: ${socket}`)
  const running = engineProcesses(engine)
  if (running.length > 0) {
    log.warn('containerd runs but does not answer, waiting for it', { pid: running[0]?.pid ?? 0 })
    if (await waitUntilAnswers(socket, clock, patienceMs, () => gone(engine))) return
    for (const { pid } of engineProcesses(engine)) signalProcess(pid, 'SIGKILL')
    while (engineProcesses(engine).length > 0) await sleep(clock, pollMs)
  }
  await startChild(engine, socket, clock)
  log.info('started containerd', { pid: engineProcesses(engine)[0]?.pid ?? 0, socket })
}

const gone = (engine: ChildEngine) => (engineProcesses(engine).length === 0 ? 'it ended' : undefined)

const startChild = async (engine: ChildEngine, socket: string, clock: Clock): Promise<void> => {
  // A socket that a killed containerd left behind would be found before the new one listens.
  await rm(socket, { force: true })
  let end: string | undefined
  void spawnEngine(engine, socket).then((words) => {
    end = words
  })
  if (await waitUntilAnswers(socket, clock, startTimeoutMs, () => end)) return void (await chmod(engine.root, 0o711))
  throw unavailable(
    `${engine.binary ?? 'containerd'} did not start: ${end ?? 'it does not answer'}; ${lastWords(engine)}`,
  )
}

/** Path of the shim's socket (containerd's source, runtime/v2/shim/util_unix.go); a killed shim leaves it behind. */
export const shimSocket = (socket: string, namespace: string, id: string): string =>
  `/run/containerd/s/${createHash('sha256').update(`${socket}/${namespace}/${id}`).digest('hex')}`
