import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import type { ConfigMount, ContainerSpec } from '../containers.ts'
import { ContainersError } from '../containers-error.ts'

export interface PlacedFile {
  readonly source: string
  readonly path: string
  readonly writable?: boolean
}

/** Name servers of the host that a container can reach: not those on the host's own loopback. */
export const reachableResolvers = (resolvConf: string): string =>
  resolvConf
    .split('\n')
    .filter((line) => !/^\s*nameserver\s+(127\.|::1)/.test(line))
    .join('\n')

const hasServer = (text: string): boolean => /^\s*nameserver\s/m.test(text)

/** The host's resolver file; behind systemd-resolved its upstream list, as the first names only a loopback address. */
const resolverText = async (): Promise<string> => {
  const plain = reachableResolvers(await readFile('/etc/resolv.conf', 'utf8').catch(() => ''))
  if (hasServer(plain)) return plain
  return reachableResolvers(await readFile('/run/systemd/resolve/resolv.conf', 'utf8').catch(() => ''))
}

const hostsText = (hostname: string, addresses: readonly string[]): string =>
  [
    '127.0.0.1 localhost',
    '::1 localhost ip6-localhost',
    ...addresses.map((address) => `${address} ${hostname}`),
    '',
  ].join('\n')

/** Places a mount may not cover: the kernel's own, and what every container gets from us. */
const reserved = /^\/($|proc(\/|$)|sys(\/|$)|dev($|\/(pts|shm|mqueue)(\/|$)))/

const checkMountPath = (path: string): void => {
  const steps = path.split('/')
  if (!path.startsWith('/') || steps.includes('..') || path.includes('\0') || reserved.test(path))
    throw new ContainersError('start-failed', `cannot put files at ${JSON.stringify(path)}: give a path of its own`)
}

const placeMount = async (mount: ConfigMount, source: string): Promise<PlacedFile> => {
  checkMountPath(mount.path)
  if (mount.kind === 'file') await writeFile(source, mount.data)
  else {
    await mkdir(source)
    for (const [name, data] of Object.entries(mount.files)) {
      if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
        throw new ContainersError('start-failed', `cannot put a file named ${JSON.stringify(name)} at ${mount.path}`)
      await writeFile(`${source}/${name}`, data)
    }
  }
  return { source, path: mount.path }
}

/**
 * Writes what one container gets from the host into `directory`, made new: name, hosts, resolver, config-map files.
 * Deepest paths come last, so that one mount may lie inside another.
 * @throws {ContainersError} `start-failed` for a path or name that leads elsewhere.
 */
export const placeFiles = async (
  directory: string,
  spec: Pick<ContainerSpec, 'mounts'>,
  host: { hostname: string; addresses: readonly string[] },
): Promise<readonly PlacedFile[]> => {
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true, mode: 0o711 })
  const system: Record<string, string> = {
    hostname: `${host.hostname}\n`,
    hosts: hostsText(host.hostname, host.addresses),
    'resolv.conf': await resolverText(),
  }
  const placed: PlacedFile[] = []
  for (const [name, text] of Object.entries(system)) {
    await writeFile(`${directory}/${name}`, text)
    placed.push({ source: `${directory}/${name}`, path: `/etc/${name}`, writable: true })
  }
  for (const [at, mount] of spec.mounts.entries()) placed.push(await placeMount(mount, `${directory}/mount-${at}`))
  // A mount at one of the three system files replaces ours.
  const byPath = new Map(placed.map((file) => [file.path, file]))
  return [...byPath.values()].toSorted((a, b) => a.path.split('/').length - b.path.split('/').length)
}
