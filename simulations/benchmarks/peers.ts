import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { SkerryError } from '../../base/index.ts'
import { imageName } from '../demo/index.ts'
import type { OwnEngine } from './own-engine.ts'

const run = promisify(execFile)
const timeoutMs = 120_000

/** Something else that starts containers. */
export interface Peer {
  /** Starts `count` containers in a loop, one after the other, and removes them. @returns milliseconds of the loop */
  time(count: number): Promise<number>
  remove(): Promise<void>
}

export const inPath = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, program)))

/** Runs `script` with the words after it as "$@". @returns milliseconds */
const timeShell = async (script: string, args: readonly string[]): Promise<number> => {
  const startedMs = performance.now()
  await run('/bin/sh', ['-ec', script, 'sh', ...args], { timeout: timeoutMs })
  return performance.now() - startedMs
}

/** `ctr run -d` on the same engine, in a namespace of its own; each container has an empty network, as ours then. */
export const openCtr = async ({ socket, archive }: OwnEngine): Promise<Peer> => {
  const base = ['--address', socket, '--namespace', 'peer']
  const ctr = (...args: string[]) => run('ctr', [...base, ...args], { timeout: timeoutMs })
  await ctr('images', 'import', archive)
  const { stdout } = await ctr('images', 'ls', '-q')
  const image = stdout.trim().split('\n')[0]
  if (!image) throw new SkerryError('bad-image', 'ctr did not import the image')
  // An engine that is asked to remove what runs refuses, so each task is ended first.
  const clear = async (count: number) => {
    for (let at = 1; at <= count; at++) {
      await ctr('tasks', 'rm', '-f', `peer-${at}`)
      await ctr('containers', 'rm', `peer-${at}`)
    }
  }
  return {
    time: async (count) => {
      const script = `n=$1; image=$2; shift 2; i=1
while [ $i -le $n ]; do ctr "$@" run -d "$image" "peer-$i" /bin/sleep 100000; i=$((i+1)); done`
      const tookMs = await timeShell(script, [String(count), image, ...base])
      const { stdout: tasks } = await ctr('tasks', 'ls')
      const running = tasks.split('\n').filter((line) => line.includes('RUNNING')).length
      await clear(count)
      if (running !== count) throw new SkerryError('not-running', `ctr started ${running} of ${count}`)
      return tookMs
    },
    remove: async () => {
      await ctr('images', 'rm', '--sync', image)
    },
  }
}

/** What Debian's podman needs where its defaults do not work: see docs/benchmarks.md. */
const podmanRunFlags = ['--runtime', 'runc', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024']

/** `podman run -d` with its default network, on storage of its own that nothing else uses. */
export const openPodman = async (archive: string): Promise<Peer> => {
  const dir = mkdtempSync(join(tmpdir(), 'skp-'))
  const hadBridge = existsSync('/sys/class/net/podman0')
  const base = [
    '--root',
    join(dir, 'root'),
    '--runroot',
    join(dir, 'run'),
    '--network-config-dir',
    join(dir, 'networks'),
  ]
  const podman = (...args: string[]) => run('podman', [...base, ...args], { timeout: timeoutMs })
  const remove = async () => {
    await podman('rm', '--all', '--force', '--time', '0').catch(() => {})
    await podman('rmi', '--all', '--force').catch(() => {})
    // Its storage may be mounted on itself.
    await run('umount', ['-l', join(dir, 'root', 'overlay')]).catch(() => {})
    rmSync(dir, { recursive: true, force: true })
    if (!hadBridge && existsSync('/sys/class/net/podman0'))
      await run('ip', ['link', 'delete', 'podman0']).catch(() => {})
  }
  try {
    await podman('load', '--input', archive)
    const { stdout } = await podman('images', '--format', '{{.ID}}', '--no-trunc')
    const image = stdout.trim().split('\n')[0]
    if (!image) throw new SkerryError('bad-image', `podman did not load ${imageName}`)
    return {
      time: async (count) => {
        const script = `n=$1; shift; i=1
while [ $i -le $n ]; do podman "$@" /bin/sleep 100000 >/dev/null; i=$((i+1)); done`
        const tookMs = await timeShell(script, [String(count), ...base, 'run', '-d', ...podmanRunFlags, image])
        const { stdout: listed } = await podman('ps', '--quiet')
        const running = listed.split('\n').filter((line) => line !== '').length
        await podman('rm', '--all', '--force', '--time', '0')
        if (running !== count) throw new SkerryError('not-running', `podman started ${running} of ${count}`)
        return tookMs
      },
      remove,
    }
  } catch (error) {
    await remove()
    throw error
  }
}
