import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { ConfigMount, ContainerSpec, PortMapping } from '../containers.ts'
import { ContainersError } from '../containers-error.ts'
import { processAddress } from './process-networks.ts'

const refuse = (mount: ConfigMount, name: string): ContainersError =>
  new ContainersError('start-failed', `cannot start: ${JSON.stringify(name)} in ${mount.path} is not a plain file name`)

const writeMount = async (mount: ConfigMount, place: string): Promise<string> => {
  const files = mount.kind === 'file' ? { [basename(mount.path)]: mount.data } : mount.files
  await mkdir(place, { recursive: true, mode: 0o700 })
  for (const [name, data] of Object.entries(files)) {
    if (name === '' || name === '.' || name === '..' || name.includes('/')) throw refuse(mount, name)
    await writeFile(join(place, name), data, { mode: 0o600 })
  }
  return mount.kind === 'file' ? join(place, basename(mount.path)) : place
}

/**
 * Writes config-map files under `directory`: a process cannot have them mounted where the specification says.
 * @returns where each is: the path in the specification → the path on this machine, handed on as `SKERRY_FILES`.
 */
export const writeMounts = async (
  mounts: readonly ConfigMount[],
  directory: string,
): Promise<Readonly<Record<string, string>>> => {
  const places: Record<string, string> = {}
  for (const [at, mount] of mounts.entries())
    places[mount.path] = await writeMount(mount, join(directory, 'files', String(at)))
  return places
}

/**
 * All a process is told: nothing of the node's own environment.
 * `SKERRY_HOST` and `SKERRY_PORT_<container port>` say where to listen, `SKERRY_FILES` (JSON) where mounted files are,
 * `SKERRY_TOKEN` marks the process as this container's.
 */
export const environmentOf = (options: {
  readonly image: Readonly<Record<string, string>>
  readonly spec: ContainerSpec
  readonly ports: readonly PortMapping[]
  readonly files: Readonly<Record<string, string>>
  readonly token: string
}): Readonly<Record<string, string>> => ({
  PATH: '/usr/local/bin:/usr/bin:/bin',
  ...options.image,
  ...options.spec.env,
  SKERRY_HOST: processAddress,
  ...Object.fromEntries(
    options.ports.map(({ containerPort, hostPort }) => [`SKERRY_PORT_${containerPort}`, String(hostPort)]),
  ),
  SKERRY_FILES: JSON.stringify(options.files),
  SKERRY_TOKEN: options.token,
})
