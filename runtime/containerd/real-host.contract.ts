import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { type Random, silentLog } from '../../base/index.ts'
import { type ContractHost, processClock } from '../containers.contract.ts'
import type { Containers } from '../containers.ts'
import { buildArchive } from '../oci/index.ts'
import {
  type ContainerdOptions,
  type ContainerdPowers,
  createContainerdContainers,
  destroyContainerd,
} from './index.ts'

/** Chance of the system, for drivers under test. */
const systemRandom: Random = {
  bytes: (count) => new Uint8Array(randomBytes(count)),
  unit: () => randomBytes(4).readUInt32BE() / 2 ** 32,
  fork: () => systemRandom,
}
export const powers: ContainerdPowers = { clock: processClock, random: systemRandom, log: silentLog }

const programs = ['containerd', 'runc', 'unshare', 'mkfifo', 'iptables']
const inPath = (program: string) =>
  [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'].some((directory) =>
    existsSync(`${directory}/${program}`),
  )

/** Why real containers cannot be tried on this machine; undefined when they can. */
export const whySkipped = (): string | undefined => {
  if (process.platform !== 'linux') return 'real containers need Linux'
  if (process.getuid?.() !== 0) return 'real containers need root'
  const missing = programs.find((program) => !inPath(program))
  if (missing !== undefined) return `${missing} is not installed`
  if (!existsSync('/usr/lib/cni/bridge')) return 'the CNI plugins are not installed'
  if (!existsSync('/usr/bin/busybox') && !existsSync('/bin/busybox')) return 'busybox is not installed'
  return undefined
}

/** A port that nobody had a moment ago. */
const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

/** A /24 of the host's private range that no device here uses. */
const freeSubnet = (): string => {
  const used = new Set(
    Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address.split('.')[2])),
  )
  for (;;) {
    const third = String(1 + Math.floor(systemRandom.unit() * 250))
    if (!used.has(third)) return `10.214.${third}.0/24`
  }
}

const applets = ['sh', 'sleep', 'echo', 'cat', 'id', 'dd', 'httpd', 'env', 'head', 'ls', 'kill', 'tail', 'yes', 'pwd']
export const image = 'contract/busybox:1'

const writeImage = async (path: string): Promise<void> => {
  const busybox = await readFile(existsSync('/bin/busybox') ? '/bin/busybox' : '/usr/bin/busybox')
  const archive = await buildArchive({
    name: image,
    files: [
      { path: 'bin/busybox', data: busybox, mode: 0o755 },
      ...applets.map((name) => ({ path: `bin/${name}`, linkTo: 'busybox' })),
      { path: 'etc/passwd', data: 'root:x:0:0::/:/bin/sh\nweb:x:1000:1001::/:/bin/sh\n' },
      { path: 'tmp', directory: true, mode: 0o777 },
    ],
    moreLayers: [[{ path: 'www/index.html', data: 'hello from the image\n' }]],
    config: { cmd: ['/bin/sleep', '100000'], env: { FROM_IMAGE: 'yes' } },
  })
  await writeFile(path, archive)
}

/** One machine with a containerd of its own, that nothing else uses. */
export interface RealHost extends ContractHost {
  readonly options: ContainerdOptions
  /** Removes everything the machine made. @returns what could not be removed */
  destroy(): Promise<readonly string[]>
}

let made = 0

/** @param name at most 5 characters, part of the bridge's name */
export const createRealHost = async (name: string): Promise<RealHost> => {
  const directory = await mkdtemp(`${tmpdir()}/ske-`)
  const id = `${name}${process.pid}${made++}`
  const options: ContainerdOptions = {
    engine: { kind: 'child', root: `${directory}/containerd`, state: `${directory}/run/containerd` },
    node: `test-${id}`,
    dataDir: `${directory}/data`,
    runDir: `${directory}/run`,
    bridge: `sk${id}`.slice(0, 15),
    subnet: freeSubnet(),
    hostAddress: '127.0.0.1',
  }
  const path = `${directory}/image.tar`
  await writeImage(path)
  const badArchivePath = `${directory}/bad.tar`
  await writeFile(badArchivePath, Buffer.alloc(4096, 'no image'))
  await mkdir(options.dataDir, { recursive: true })
  const low = await freePort()
  const open = (): Containers => createContainerdContainers(options, powers)
  const shell = (script: string) => ({ entrypoint: ['/bin/sh', '-c', script] })
  return {
    options,
    open,
    archive: { path, image },
    badArchivePath,
    programs: {
      forever: shell('trap "exit 0" TERM; while :; do sleep 0.2; done'),
      exit: (code) => shell(`exit ${code}`),
      say: (text) => shell(`echo '${text}'; trap "exit 0" TERM; while :; do sleep 0.2; done`),
    },
    commands: { hello: ['/bin/echo', 'hello'], exit3: ['/bin/sh', '-c', 'exit 3'], hang: ['/bin/sleep', '1000'] },
    portRange: [low, low + 10],
    kill: ({ pid }) => {
      process.kill(pid, 'SIGKILL')
    },
    close: async () => {},
    destroy: async () => {
      const remains = await destroyContainerd(options, powers)
      await rm(directory, { recursive: true, force: true })
      return remains
    },
  }
}
