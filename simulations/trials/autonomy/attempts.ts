import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorText } from '../../../base/index.ts'
import type { MemberView, ServiceInstanceView } from '../../../node/index.ts'
import { cutPower, imageName, type World } from '../../demo/index.ts'
import type { Driver } from '../kill/index.ts'
import { environmentOf, reboot, shownHost, untilLinked } from './conditions.ts'
import type { Condition, Must, Operation, Outcome } from './matrix.ts'

export interface Scene {
  readonly world: World
  readonly driver: Driver
  /** Folder for files of the trial. */
  readonly ownDir: string
  readonly condition: Condition
  /** The application that is changed under this condition, and at no other. */
  readonly application: string
}

const withinMs = 60_000
const site = 'n2'

/** One application and its deployment, as documents for `skerry apply`. JSON is YAML too. */
export const documents = (name: string, version: string, driver: Driver): string =>
  [
    {
      name,
      version,
      services: [
        {
          name: 'till',
          mode: 'replicated',
          replicas: 1,
          containers: [
            {
              name: 'till',
              image: imageName,
              env: { VERSION: version },
              'shutdown-timeout': '1s',
              ...(driver === 'containerd'
                ? {
                    entrypoint: [
                      '/bin/sh',
                      '-c',
                      'trap "exit 0" TERM; while :; do echo till: counted; sleep 1 & wait $!; done',
                    ],
                  }
                : { cmd: ['till'] }),
            },
          ],
        },
      ],
    },
    {
      name: `${name}-everywhere`,
      application: name,
      'application-version': version,
      placement: 'all-sites',
    },
  ]
    .map((one) => JSON.stringify(one))
    .join('\n---\n')

/** The application that `apply` makes under a condition. */
const appliedName = ({ application }: Scene): string => `${application}-new`

const instancesAt = async (world: World, application: string, at: string): Promise<readonly ServiceInstanceView[]> =>
  world.instances(application, at)

/** Waits until an application runs at sites in a version. */
const runsAt = async (
  world: World,
  application: string,
  version: string,
  sites: readonly string[],
): Promise<string> => {
  for (const at of sites)
    await world.until(`${application} ${version} at ${at}`, withinMs, async () => {
      const found = await instancesAt(world, application, at)
      const isThere = found.length > 0 && found.every((one) => one.ready && one['application-version'] === version)
      return isThere ? true : undefined
    })
  return `${application} ${version} runs at ${sites.join(', ')}`
}

/** Asks a node over its own socket. @throws what it printed, where it refused */
const ask = async ({ world }: Scene, { at }: Must, args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await world.ask(['--endpoint', `unix:${world.named(at)['api-socket']}`, ...args])
  if (code !== 0) throw new Error(stderr || stdout)
  return stdout
}

const containing = (text: string, part: string): string => {
  if (!text.includes(part)) throw new Error(`no "${part}" in: ${text}`)
  return text
}

const apply = async (scene: Scene, must: Must, name: string, version: string): Promise<string> => {
  const path = join(scene.ownDir, `${name}-${version}.yaml`)
  writeFileSync(path, documents(name, version, scene.driver))
  await ask(scene, must, ['apply', '-f', path])
  return runsAt(scene.world, name, version, must.seenAt ?? [])
}

/** Replaces a host by a machine that never was one: its key and all it knew are gone. */
const replaceHost = async (scene: Scene, must: Must): Promise<string> => {
  const { world, condition, application } = scene
  const node = world.named(shownHost)
  if (must.refusal !== undefined) return ask(scene, must, ['hosts', 'token', shownHost])
  await cutPower(node)
  rmSync(join(node['data-dir'], 'data'), { recursive: true, force: true })
  rmSync(join(node['data-dir'], 'join-token'), { force: true })
  await world.powerOn(node, environmentOf(condition))
  const waiting = await world.until('the new machine to wait for a yes', withinMs, async () => {
    const path = '/v1/state/system/call-home-hosts'
    const members = await world.get<readonly MemberView[]>(world.named('north-aggregator'), path)
    return members.find((one) => one['oper-status'] === 'duplicate' || one['oper-status'] === 'waiting')
  })
  await ask(scene, must, ['hosts', 'claim', waiting.fingerprint ?? '', '--as', shownHost])
  await untilLinked(world, shownHost, 'up')
  const [{ 'application-version': version = '' } = {}] = await world.until(
    'the new machine to run it',
    withinMs,
    async () => {
      const found = await instancesAt(world, application, site)
      return found.length > 0 && found.every(({ ready }) => ready) ? found : undefined
    },
  )
  return `the new machine runs ${application} ${version}`
}

const rebootHost = async ({ world, condition, application }: Scene): Promise<string> => {
  const before = await instancesAt(world, application, site)
  const pids = (all: readonly ServiceInstanceView[]) =>
    all.flatMap(({ containers }) => containers.map(({ pid }) => pid))
  const old = pids(before)
  await reboot(world, world.named(shownHost), condition)
  await world.until(`${application} to run again at ${site}`, withinMs, async () => {
    const found = await instancesAt(world, application, site)
    const isNew = pids(found).every((pid) => pid > 0 && !old.includes(pid))
    return found.length > 0 && found.every(({ ready }) => ready) && isNew ? true : undefined
  })
  return `${application} runs again`
}

const attempts: Readonly<Record<Operation, (scene: Scene, must: Must) => Promise<string>>> = {
  apply: (scene, must) => apply(scene, must, appliedName(scene), '1'),
  upgrade: (scene, must) => apply(scene, must, scene.application, '2'),
  rollback: async (scene, must) => {
    const text = await ask(scene, must, ['rollback', `${scene.application}-everywhere`])
    await runsAt(scene.world, scene.application, '1', must.seenAt ?? [])
    return text
  },
  status: async (scene, must) => containing(await ask(scene, must, ['status']), scene.application),
  explain: async (scene, must) =>
    containing(await ask(scene, must, ['explain', scene.application, '--site', site]), `runs at ${site}`),
  logs: async (scene, must) =>
    containing(await ask(scene, must, ['logs', scene.application, '--site', site, '--tail', '1KiB']), 'till: counted'),
  exec: async (scene, must) => {
    const command = scene.driver === 'containerd' ? ['/bin/echo', 'two'] : ['node', '-p', '"t" + "wo"']
    return containing(await ask(scene, must, ['exec', scene.application, '--site', site, '--', ...command]), 'two')
  },
  conflicts: async (scene, must) => containing(await ask(scene, must, ['conflicts']), 'no conflicts'),
  'enrol a replacement host': replaceHost,
  reboot: rebootHost,
}

/** Why what was applied meanwhile is not where it has to be once everybody is back; undefined where it is. */
export const wrongLater = async (scene: Scene, { at, laterAt }: Must): Promise<string | undefined> => {
  try {
    if (laterAt !== undefined) await runsAt(scene.world, appliedName(scene), '1', laterAt)
    return undefined
  } catch (error) {
    return `what was asked at ${at} did not arrive later: ${errorText(error)}`
  }
}

/** Waits until the application of a condition runs at the host it is shown at. */
export const runsShown = ({ world, application }: Scene): Promise<string> => runsAt(world, application, '1', [site])

/** Asks for an operation at a node and looks what came of it. Never throws. */
export const attempt = async (scene: Scene, operation: Operation, must: Must): Promise<Outcome> => {
  try {
    return { ok: true, text: await attempts[operation](scene, must) }
  } catch (error) {
    return { ok: false, text: errorText(error) }
  }
}
