import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SkerryError } from '../../base/index.ts'
import { imageName } from '../demo/index.ts'
import { ensurePackages, type Peer, timeShell } from './peer.ts'

const run = promisify(execFile)
const timeoutMs = 120_000

/** Debian's packages; netavark makes the network and is only recommended. */
const packages = ['podman', 'netavark']
/** What Debian's podman needs where its defaults do not work: see docs/benchmarks.md. */
const runFlags = ['--runtime', 'runc', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024']
/** What podman makes outside of the folders it is given. */
const outsidePaths = ['/run/libpod', '/run/crun', '/run/containers', '/var/lib/containers', '/dev/shm/libpod_lock']
const bridge = 'podman0'

const cgroupsOfPodman = (): readonly string[] =>
  ['', ...readdirSync('/sys/fs/cgroup')]
    .map((tree) => join('/sys/fs/cgroup', tree, 'libpod_parent'))
    .filter((path) => existsSync(path))

/** Rules and chains that netavark leaves in the packet filter after its last network is gone. */
const netavarkLines = async (table: string): Promise<readonly string[]> => {
  const { stdout } = await run('iptables', ['-w', '-t', table, '-S'])
  return stdout.split('\n').filter((line) => /NETAVARK/.test(line))
}

const removeRules = async (table: string): Promise<void> => {
  const lines = await netavarkLines(table)
  const chains = lines.flatMap((line) => /^-N (\S+)/.exec(line)?.[1] ?? [])
  const iptables = (...args: string[]) => run('iptables', ['-w', '-t', table, ...args]).catch(() => {})
  const quoted = /"([^"]*)"|(\S+)/g
  for (const line of lines.filter((text) => text.startsWith('-A ')))
    await iptables('-D', ...[...line.slice(3).matchAll(quoted)].map(([, inside, plain]) => inside ?? plain ?? ''))
  for (const chain of chains) await iptables('-F', chain)
  for (const chain of chains) await iptables('-X', chain)
}

/** What of podman was here before us, so that nothing else is taken away. */
const lookAround = async () => {
  const paths = outsidePaths.filter((path) => existsSync(path))
  const cgroups = cgroupsOfPodman()
  const device = existsSync(`/sys/class/net/${bridge}`)
  const tables = ['nat', 'filter'] as const
  const rules = await Promise.all(tables.map(netavarkLines))
  const cleanTables = tables.filter((_, at) => rules[at]?.length === 0)
  return async () => {
    for (const path of outsidePaths.filter((each) => !paths.includes(each)))
      rmSync(path, { recursive: true, force: true })
    for (const path of cgroupsOfPodman().filter((each) => !cgroups.includes(each)))
      for (const folder of [
        ...readdirSync(path, { withFileTypes: true, recursive: true })
          .filter((entry) => entry.isDirectory())
          .map((entry) => join(entry.parentPath, entry.name))
          .toSorted((a, b) => b.length - a.length),
        path,
      ])
        rmdirSync(folder)
    if (!device && existsSync(`/sys/class/net/${bridge}`)) await run('ip', ['link', 'delete', bridge]).catch(() => {})
    for (const table of cleanTables) await removeRules(table)
  }
}

/** `podman run -d` with its default network, on storage of its own that nothing else uses. */
export const openPodman = async (archive: string, say: (line: string) => void): Promise<Peer> => {
  await ensurePackages(['podman'], packages, say)
  const tidyUp = await lookAround()
  const dir = mkdtempSync(join(tmpdir(), 'skp-'))
  const folders = { root: 'root', runroot: 'run', tmpdir: 'tmp', 'network-config-dir': 'networks' }
  const base = Object.entries(folders).flatMap(([flag, name]) => [`--${flag}`, join(dir, name)])
  const podman = (...args: string[]) => run('podman', [...base, ...args], { timeout: timeoutMs })
  const remove = async () => {
    await podman('rm', '--all', '--force', '--time', '0').catch(() => {})
    await podman('rmi', '--all', '--force').catch(() => {})
    // Its storage may be mounted on itself.
    await run('umount', ['-l', join(dir, 'root', 'overlay')]).catch(() => {})
    rmSync(dir, { recursive: true, force: true })
    await tidyUp()
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
        const tookMs = await timeShell(script, [String(count), ...base, 'run', '-d', ...runFlags, image])
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
