import { readdirSync, readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { eventually } from '../containers.contract.ts'
import type { ContainerOwner, ContainerSpec, Containers, ObservedContainer } from '../containers.ts'
import { cgroupDirectories, cgroupPids } from './cgroups.ts'
import { nodeCgroup, socketOf } from './containerd-options.ts'
import { engineProcesses } from './containerd-process.ts'
import { mountsBelow } from './destroy-containerd.ts'
import { run } from './host-commands.ts'
import { findProcesses } from './host-processes.ts'
import { createRealHost, image, type RealHost, whySkipped } from './real-host.contract.ts'

const why = whySkipped()
export const tenant = 'acme'
export const owner = (part: Partial<ContainerOwner> = {}): ContainerOwner => ({
  tenant,
  application: 'web',
  service: 'web',
  instance: 'web.web-1',
  container: 'web',
  version: '1',
  revision: 'sha256:r',
  specHash: 'sha256:s',
  ...part,
})
export const spec = (script: string, part: Partial<ContainerSpec> = {}): ContainerSpec => ({
  image,
  entrypoint: ['/bin/sh', '-c', script],
  env: {},
  mounts: [],
  shutdownTimeoutMs: 1_000,
  logSizeBytes: 65_536,
  ...part,
})
export const forever = 'trap "exit 0" TERM; while :; do sleep 0.2; done'

/** Runs `work` on a machine of its own; afterwards nothing of the machine may be left. */
export const real = (
  title: string,
  work: (t: ExecutionContext, host: RealHost, containers: Containers) => Promise<void>,
) => {
  if (why !== undefined) return test.skip(`${title} (skipped: ${why})`, () => {})
  test.serial(title, async (t) => {
    const host = await createRealHost('flt')
    const containers = host.open()
    try {
      await containers.start()
      await containers.importImage(host.archive.path)
      await work(t, host, containers)
    } finally {
      await containers.stop()
      t.deepEqual(await host.destroy(), [])
    }
    await assertNothingLeft(t, host)
  })
}

const assertNothingLeft = async (t: ExecutionContext, { options }: RealHost): Promise<void> => {
  const directory = options.dataDir.replace(/\/data$/, '')
  t.deepEqual(mountsBelow(readFileSync('/proc/self/mountinfo', 'utf8'), directory), [])
  t.deepEqual(
    findProcesses((args) => args.some((arg) => arg.includes(directory))),
    [],
  )
  t.deepEqual(await cgroupPids(nodeCgroup(options)), [])
  t.false(readdirSync('/sys/class/net').includes(options.bridge))
  const rules = await run('iptables-save', [])
  t.false(rules.includes(options.bridge), rules)
  t.throws(() => readdirSync(directory), { code: 'ENOENT' })
  t.deepEqual(await cgroupDirectories(nodeCgroup(options)), [])
}

export const find = async (containers: Containers, id: string) =>
  (await containers.observe()).containers.find((one) => one.id === id)
export const exited = (t: ExecutionContext, containers: Containers, id: string): Promise<ObservedContainer> =>
  eventually(t, `${id} has ended`, async () => {
    const found = await find(containers, id)
    return found?.state === 'exited' ? found : undefined
  })
export const output = async (containers: Containers, id: string, script: string): Promise<string> => {
  const args = ['/bin/sh', '-c', script]
  const { stdout, stderr, exitCode } = await containers.exec(id, { args, timeoutMs: 10_000, maxOutputBytes: 65_536 })
  if (exitCode !== 0) throw new Error(`exit ${exitCode}: ${Buffer.from(stderr).toString()}`)
  return Buffer.from(stdout).toString().trim()
}
export const killPids = (pids: readonly number[]) => {
  for (const pid of pids) process.kill(pid, 'SIGKILL')
}
export const enginePids = ({ options }: RealHost): number[] =>
  options.engine.kind === 'child' ? engineProcesses(options.engine).map(({ pid }) => pid) : []
export const shimPids = ({ options }: RealHost): number[] =>
  findProcesses((args) => (args[0] ?? '').includes('containerd-shim') && args.includes(socketOf(options))).map(
    ({ pid }) => pid,
  )
export const portOf = ({ portRange }: RealHost) => ({
  protocol: 'tcp' as const,
  containerPort: 80,
  hostPort: portRange[0],
})
export const page = (host: RealHost) =>
  fetch(`http://127.0.0.1:${host.portRange[0]}/`).then(
    (answer) => answer.text(),
    () => undefined,
  )
