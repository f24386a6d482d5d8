import { execFile } from 'node:child_process'
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SkerryError } from '../../base/index.ts'
import type { OwnEngine } from './own-engine.ts'
import { type Peer, timeShell } from './peer.ts'

const run = promisify(execFile)
const timeoutMs = 120_000

/** `ctr run -d` on the same engine, in a namespace of its own; each container has an empty network, as ours then. */
export const openCtr = async ({ socket, archive }: OwnEngine): Promise<Peer> => {
  const namespace = `bench-peer-${process.pid}`
  const base = ['--address', socket, '--namespace', namespace]
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
      // Its cgroup, named by the namespace, stays when the last container is gone.
      for (const tree of ['', ...readdirSync('/sys/fs/cgroup')]) {
        const path = join('/sys/fs/cgroup', tree, namespace)
        if (existsSync(path)) rmdirSync(path)
      }
    },
  }
}
