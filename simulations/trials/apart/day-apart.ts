import { errorText } from '../../../base/index.ts'
import { parseTopology } from '../../../topologies/index.ts'
import { bringUp, createWorld, type World } from '../../world/index.ts'

/** How long, and how often each side changes something meanwhile. */
export interface DayApart {
  readonly seed: number
  readonly apartMs: number
  readonly changes: number
}

/** What coming together took. Bytes are those of frames in both directions between tower and zone. */
export interface DayApartResult {
  /** Links that were made until both held the same. */
  readonly links: number
  /** From the link's first frame until both hold the same changes, in milliseconds. */
  readonly agreedMs: number | undefined
  /** Until then, and until what only the tower changed runs in the zone; without the stream of reports. */
  readonly bytes: number
  /** What both hold at the end of the lanes they share, with the versions and specifications these lead to. */
  readonly finalBytes: number
  /** Starts in the zone after the heal, by application and container. */
  readonly starts: Readonly<Record<string, number>>
  readonly conflicts: readonly string[]
  readonly problems: readonly string[]
}

const topologyText = `version: 1
network: apart
towers:
  site: head
  hosts: [{ name: tower }]
sites:
  - name: a1
    hosts: [{ name: a1a }]
zones:
  - name: north
    aggregators:
      hosts: [{ name: north }]
    sites:
      - name: n1
        hosts: [{ name: n1a }, { name: n1b }]
      - name: n2
        hosts: [{ name: n2a }]
`

const imageName = 'demo:1'
/** Changed by both sides, by the tower, by the zone, by nobody. */
const applications = ['both', 'tower-only', 'north-only', 'still'] as const
type Application = (typeof applications)[number]

/** Padding as a specification of a real shop has it. */
const settings = Array.from(
  { length: 24 },
  (_, at) => `          SETTING_${at}: "a value of some length that says nothing"`,
)

const applicationText = (name: Application, version: number): string =>
  [
    `name: ${name}`,
    `version: "${version}"`,
    'services:',
    '  - name: main',
    '    mode: one-per-matching-host',
    '    containers:',
    '      - name: web',
    `        image: ${imageName}`,
    '        env:',
    `          VERSION: "${version}"`,
    ...settings,
    '      - name: side',
    `        image: ${imageName}`,
    '        env: { ALWAYS: same }',
    '',
  ].join('\n')

const deploymentText = (name: Application, version: number): string =>
  `name: ${name}-out\napplication: ${name}\napplication-version: "${version}"\nplacement: { all-sites: true }\n`

const asked = { caller: { tenant: 'default', user: 'operator' }, signal: new AbortController().signal } as const
const body = (text: string) => ({ text, mediaType: 'application/yaml' as const, source: 'apart.yaml' })

const write = async (world: World, at: string, name: Application, version: number): Promise<void> => {
  const config = world.node(at)?.services.config
  if (config === undefined) throw new Error(`${at} does not run`)
  const how = { ...asked, mode: 'replace', effect: 'apply' } as const
  await config.write('applications', { ...how, body: body(applicationText(name, version)) })
  await config.write('application-deployments', { ...how, body: body(deploymentText(name, version)) })
}

const hosts = ['n1a', 'n1b', 'n2a']
const runningAt = (world: World, host: string, name: string) =>
  (world.machine(host).host?.containers() ?? []).filter(
    ({ owner, state }) => owner.application === name && state === 'running',
  )

/** Envelopes and first records of the lanes that tower and zone share, by machine: key to size. */
const sharedLanes = async (world: World): Promise<readonly ReadonlyMap<string, number>[]> => {
  const [above, below] = await Promise.all(['tower', 'north'].map((one) => world.machine(one).disk.scan('d/')))
  const pieces = (all: ReadonlyMap<string, Uint8Array> | undefined) =>
    [...(all ?? [])].filter(([key]) => /^d\/[0-9a-f]{32}\/[eg]\//.test(key))
  const document = (key: string) => key.split('/')[1]
  const both = new Set(pieces(above).map(([key]) => document(key)))
  const held = new Set(pieces(below).map(([key]) => document(key)))
  return [above, below].map(
    (all) =>
      new Map(
        pieces(all)
          .filter(([key]) => both.has(document(key)) && held.has(document(key)))
          .map(([key, bytes]) => [key, bytes.byteLength] as const),
      ),
  )
}

const areSame = ([a, b]: readonly ReadonlyMap<string, number>[]): boolean =>
  a !== undefined && b !== undefined && a.size === b.size && [...a.keys()].every((key) => b.has(key))

/** The last version that only the tower gave. */
const lastOf = (changes: number): number => changes + (changes % 2 === 0 ? 1 : 0)

const lookEveryMs = 50

/** Runs it once. */
export const runDayApart = async ({ seed, apartMs, changes }: DayApart): Promise<DayApartResult> => {
  const world = await createWorld({
    seed,
    topology: parseTopology(topologyText, 'apart.yaml'),
    images: [{ name: imageName, bytes: Buffer.from(`${imageName} `.repeat(400)) }],
  })
  const problems: string[] = []
  let agreedMs: number | undefined
  let agreedBytes = 0
  let [bytes, isCounting, firstMs] = [0, false, undefined as number | undefined]
  const links = new Set<string>()
  const reports = new Set<number>()
  const starts = new Map<string, number>()
  /** Version that each container of the zone was started with last. */
  const versions = new Map<string, string>()
  /** Versions and specifications that either side took over from the other. */
  let takenBytes = 0
  world.observe({
    write: (machine, { name, bytes: written, isSame }) => {
      const isTaken = name.startsWith('blob/') || name.startsWith('store/b/')
      if (isCounting && agreedMs === undefined && !isSame && isTaken && ['north', 'tower'].includes(machine))
        takenBytes += written.length
    },
    frame: ({ from, to, frame }) => {
      if (!isCounting || ![from, to].includes('north') || ![from, to].includes('tower')) return
      // What hosts report flows as ever, whether something was to be agreed or not.
      if (frame.kind === 'open' && Buffer.from(frame.payload).includes('reports')) reports.add(frame.stream)
      if (!reports.has(frame.stream)) bytes += frame.payload.byteLength
      firstMs ??= world.nowMs()
    },
    log: (machine, line) => {
      if (line.fields?.code === 'unsettled') problems.push(`${machine} and a peer of it do not agree`)
      if (isCounting && machine === 'north' && line.message === 'linked to parent') links.add(String(world.nowMs()))
    },
    act: (machine, act) => {
      if (act.kind !== 'start' || !hosts.includes(machine)) return
      const { application, container } = act.container.owner
      const name = `${application}/${container}`
      versions.set(`${machine} ${name}`, act.spec.env.VERSION ?? '')
      if (isCounting) starts.set(name, (starts.get(name) ?? 0) + 1)
    },
    died: (machine, error) => problems.push(`${machine} died: ${errorText(error)}`),
  })
  const doing = (work: () => Promise<void>) => void work().catch((error: unknown) => problems.push(errorText(error)))
  const isEverywhere = (name: Application, at = hosts) => at.every((host) => runningAt(world, host, name).length === 2)

  let isUp = false
  doing(async () => {
    await bringUp(world)
    for (const name of applications) await write(world, 'tower', name, 1)
    isUp = true
  })
  await world.runUntil(120_000, () => isUp && applications.every((name) => isEverywhere(name)))
  if (!isUp) problems.push('the world did not come up')
  await world.runUntil(world.nowMs() + 60_000)

  const cut = (isOpen: boolean) => {
    for (const [from, to] of [
      ['tower', 'north'],
      ['north', 'tower'],
    ] as const)
      if (isOpen) world.network.paths.open(from, to)
      else world.network.paths.close(from, to)
  }
  cut(false)
  const startMs = world.nowMs()
  for (let at = 0; at < changes; at++) {
    const dueMs = startMs + 60_000 + ((apartMs - 120_000) * at) / changes
    const version = at + 2
    world.at(dueMs, 'operator above', () =>
      doing(() => write(world, 'tower', at % 2 === 0 ? 'both' : 'tower-only', version)),
    )
    world.at(dueMs + 30_000, 'operator of the zone', () =>
      doing(() => write(world, 'north', at % 2 === 0 ? 'both' : 'north-only', 1_000 + version)),
    )
  }
  await world.runUntil(startMs + apartMs)
  for (const name of applications) if (!isEverywhere(name)) problems.push(`${name} did not run while apart`)

  const last = String(lastOf(changes))
  const isNewest = () => hosts.every((host) => versions.get(`${host} tower-only/web`) === last)
  isCounting = true
  const healMs = world.nowMs()
  cut(true)
  while (agreedMs === undefined && world.nowMs() < healMs + 300_000) {
    await world.runUntil(world.nowMs() + lookEveryMs)
    if (firstMs === undefined || !isNewest() || !areSame(await sharedLanes(world))) continue
    agreedMs = world.nowMs() - firstMs
    agreedBytes = bytes
  }
  await world.runUntil(world.nowMs() + 600_000)
  const conflicts =
    (await world.settled(world.node('north')?.services.conflicts.list(asked) ?? Promise.resolve([]))) ?? []
  const [lanes] = await sharedLanes(world)
  const laneBytes = [...(lanes?.values() ?? [])].reduce((sum, size) => sum + size, 0)
  return {
    links: links.size,
    agreedMs,
    bytes: agreedBytes,
    finalBytes: laneBytes + takenBytes,
    starts: Object.fromEntries(starts),
    conflicts: conflicts.map(({ application }) => application),
    problems,
  }
}
