import { mkdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { SkerryError } from '../../../base/index.ts'
import { buildArchive } from '../../../runtime/index.ts'
import { pause } from '../../demo/index.ts'
import { machineMs } from './edge-messages.ts'
import { type Reached, reachedAt, type ScaleFigures } from './figures.ts'
import type { NodeProcessOptions } from './node-process.ts'
import { zonesOf } from './scale-topology.ts'
import {
  cpuBetween,
  cpuOf,
  enrolledAt,
  memoryOfTree,
  peakOf,
  startTree,
  type TreeProcesses,
  tokenFor,
  upBytesOf,
} from './tree-processes.ts'

/** How long a tree is left alone before memory is read or the next thing is asked. */
const restMs = 20_000
/** After a change edges look for images they need no more once a minute has passed. */
const settleMs = 75_000
/** What takes longer is given up: all sites enrolled, one change everywhere, a storm over. */
const enrolWithinMs = 3_600_000
const changeWithinMs = 3_600_000
const stormWithinMs = 600_000
const tokensAtOnce = 8
/** Hosts that call at one moment, over all processes: each has seconds to be greeted. */
const callersAtOnce = 32
/** How long the aggregators of the storm are away. */
const awayMs = 10_000
const stormSites = 1_000
const longestWaitMs = 3_000

const image = 'bench/shop:1'
/** Goes to all sites; and what is decided in a storm, for the sites it is about. */
const everywhere = { name: 'shop', version: 1 }
const inTheStorm = { name: 'kiosk', version: 2 }
const application = ({ name, version }: { readonly name: string; readonly version: number }): string => `name: ${name}
version: "${version}"
services:
  - name: web
    mode: one-per-matching-host
    containers:
      - name: web
        image: ${image}
        env: { VERSION: "${version}" }
`
const deployment = (name: string, placement: string): string => `name: ${name}
application: ${name}
application-version: "*"
placement: ${placement}
`
const yaml = (content: string) => ({ type: 'application/yaml', content })

export interface MeasureOptions {
  readonly sites: number
  readonly idleSeconds: number
  readonly program: string
  readonly dir: string
  readonly profileDir: string | undefined
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`

/** Memory of each process before it has anything to do with a site, in MB. */
const measureBase = async (options: NodeProcessOptions, signal: AbortSignal) => {
  const tree = await startTree(zonesOf(1), options, signal)
  try {
    await restOf(restMs, signal)
    return memoryOfTree(tree)
  } finally {
    await tree.stop()
  }
}

const restOf = async (ms: number, signal: AbortSignal): Promise<void> => {
  const endMs = machineMs() + ms
  while (machineMs() < endMs) {
    signal.throwIfAborted()
    await pause(Math.min(200, endMs - machineMs()))
  }
}

const orAborted = <Value>(work: Promise<Value>, signal: AbortSignal, withinMs: number): Promise<Value> =>
  new Promise((resolve, reject) => {
    const abort = () => reject(new SkerryError('interrupted', 'the benchmark was interrupted'))
    const late = setTimeout(
      () => reject(new SkerryError('timeout', `what was waited for did not come in ${seconds(withinMs)}`)),
      withinMs,
    )
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => {
      clearTimeout(late)
      signal.removeEventListener('abort', abort)
    })
  })

/** Every site from nothing to linked with a certificate, tokens included. @returns seconds */
const enrolAll = async ({ tower, zones }: TreeProcesses, signal: AbortSignal): Promise<number> => {
  const atOnce = Math.min(16, Math.max(2, Math.round(callersAtOnce / zones.length)))
  const beganMs = machineMs()
  const joined = await Promise.all(
    zones.map(async ({ zone, aggregator, edges }) => {
      const places = [...zone.sites]
      const given: { readonly host: string; readonly token: string }[] = []
      const work = async () => {
        for (let place = places.shift(); place !== undefined; place = places.shift())
          given.push({ host: place.host, token: await tokenFor(aggregator, place.host) })
      }
      await Promise.all(Array.from({ length: tokensAtOnce }, work))
      const tokens = new Map(given.map(({ host, token }) => [host, token]))
      const parent = aggregator.address()
      edges.tell({
        kind: 'join',
        networkId: tower.networkId(),
        atOnce,
        edges: zone.sites.map((site) => ({ ...site, parent, token: tokens.get(site.host) ?? '' })),
      })
      return (await orAborted(edges.heard('joined'), signal, enrolWithinMs)).atMs
    }),
  )
  for (const { zone, aggregator } of zones) {
    const enrolled = await enrolledAt(aggregator)
    if (enrolled !== zone.sites.length)
      throw new SkerryError('not-enrolled', `${enrolled} of ${zone.sites.length} hosts are enrolled at ${zone.scope}`)
  }
  return (Math.max(...joined) - beganMs) / 1_000
}

/** How many sites the tower says run the version that goes to all. */
const runningAt = async ({ tower }: TreeProcesses): Promise<number> => {
  const path = '/v1/state/applications/shop?fields=sites/[version,running/count]'
  const found = await tower.call<{ sites: readonly { version: string; running: { count: number } }[] }>('GET', path)
  return found.sites.filter((site) => site.version === `${everywhere.version}` && site.running.count === 1).length
}

const acceptedBy = ({ zones }: TreeProcesses): readonly number[] =>
  zones.flatMap(({ edges }) => edges.acceptedAt(`${everywhere.version}`)).toSorted((a, b) => a - b)

/**
 * One deployment to all sites. What the tower says is asked seldom enough to cost it a twentieth of its time, but every few
 * seconds also where it is so busy that it answers late.
 */
const deployToAll = async (tree: TreeProcesses, sites: number, { say, signal }: MeasureOptions) => {
  const beganMs = machineMs()
  await tree.tower.call(
    'PUT',
    '/v1/config/application-deployments/shop',
    yaml(deployment(everywhere.name, 'all-sites')),
  )
  const running: { half?: number; most?: number; all?: number } = {}
  let accepted: readonly number[] = []
  for (let waitMs = 200; running.all === undefined; ) {
    await restOf(waitMs, signal)
    const askedMs = machineMs()
    const count = await runningAt(tree)
    const nowMs = machineMs() - beganMs
    waitMs = Math.min(longestWaitMs, Math.max(200, 20 * (machineMs() - askedMs)))
    accepted = acceptedBy(tree)
    say(`  ${seconds(nowMs)}: ${accepted.length} accepted, ${count} reported running`)
    if (count >= sites * 0.5) running.half ??= nowMs
    if (count >= sites * 0.99) running.most ??= nowMs
    if (count >= sites && accepted.length >= sites) running.all = nowMs
    if (nowMs > changeWithinMs)
      throw new SkerryError('not-deployed', `${accepted.length} accepted and ${count} run of ${sites} sites`)
  }
  const reached = (share: number) => reachedAt(accepted, share) - beganMs
  return {
    accepted: { half: reached(0.5), most: reached(0.99), all: reached(1) } satisfies Reached,
    running: { half: running.half ?? 0, most: running.most ?? 0, all: running.all } satisfies Reached,
  }
}

const bytesOf = async ({ zones }: TreeProcesses): Promise<number> => {
  const counts = await Promise.all(zones.map(({ edges }) => edges.counts()))
  return counts.reduce((sum, { bytes }) => sum + bytes, 0)
}

const beIdle = async (tree: TreeProcesses, { idleSeconds, signal }: MeasureOptions): Promise<ScaleFigures['idle']> => {
  const before = { cpu: cpuOf(tree), bytes: await bytesOf(tree), up: upBytesOf(tree), ms: machineMs() }
  await restOf(idleSeconds * 1_000, signal)
  const [ms, up, cpu] = [machineMs() - before.ms, upBytesOf(tree), cpuOf(tree)]
  return {
    seconds: ms / 1_000,
    edgeBytes: (await bytesOf(tree)) - before.bytes,
    upBytes: up === undefined || before.up === undefined ? null : up - before.up,
    cpu: cpuBetween(before.cpu, cpu),
  }
}

/**
 * Aggregators die, an application for their sites is decided meanwhile, they start again: until their edges are linked and
 * accepted it. Where profiles are made they are asked to end, as one that is killed writes none.
 */
const storm = async (
  tree: TreeProcesses,
  { sites, signal, profileDir }: MeasureOptions,
): Promise<ScaleFigures['storm']> => {
  const hit = tree.zones.slice(0, Math.ceil(Math.min(sites, stormSites) / (tree.zones[0]?.zone.sites.length ?? 1)))
  await Promise.all(hit.map(({ aggregator }) => aggregator.stop(profileDir === undefined ? 'SIGKILL' : 'SIGTERM')))
  const { name, version } = inTheStorm
  const labels = hit.map(({ zone }) => `shop.example/zone = ${zone.scope.slice(1)}`)
  const placement = `{ match-site-labels: "${labels.join(' or ')}" }`
  await tree.tower.call('PUT', `/v1/config/applications/${name}`, yaml(application(inTheStorm)))
  await tree.tower.call('PUT', `/v1/config/application-deployments/${name}`, yaml(deployment(name, placement)))
  await restOf(awayMs, signal)
  const beganMs = machineMs()
  const synced = hit.map(({ zone, edges }) => {
    edges.tell({ kind: 'watch', version: `${version}`, scopes: [zone.scope], withinMs: stormWithinMs })
    return edges.heard('synced')
  })
  await Promise.all(hit.map(({ aggregator }) => aggregator.start()))
  const ended = await orAborted(Promise.all(synced), signal, 2 * stormWithinMs)
  const missing = ended.reduce((sum, one) => sum + one.missing, 0)
  const unlinked: Record<string, number> =
    missing === 0 ? {} : { [`not in sync after ${seconds(stormWithinMs)}`]: missing }
  for (const { edges } of tree.zones)
    for (const [why, count] of Object.entries((await edges.counts()).unlinked))
      unlinked[why] = (unlinked[why] ?? 0) + count
  return {
    sites: hit.reduce((sum, { zone }) => sum + zone.sites.length, 0),
    seconds: (Math.max(...ended.map(({ atMs }) => atMs)) - beganMs) / 1_000,
    unlinked,
  }
}

const prepareImage = async ({ tower, zones }: TreeProcesses): Promise<void> => {
  const content = await buildArchive({ name: image, files: [{ path: 'app/shop', data: 'shop' }] })
  const type = 'application/x-tar'
  const [held] = await tower.call<readonly { archive: string; digest: string }[]>('POST', '/v1/state/images', {
    type,
    content,
  })
  if (held === undefined) throw new SkerryError('no-image', 'the tower took no image')
  for (const { edges } of zones) edges.tell({ kind: 'image', name: image, archive: held.archive, digest: held.digest })
  await tower.call('PUT', `/v1/config/applications/${everywhere.name}`, yaml(application(everywhere)))
}

const measureTree = async (tree: TreeProcesses, options: MeasureOptions) => {
  const { sites, say, signal } = options
  let before = cpuOf(tree)
  const enrolSeconds = await enrolAll(tree, signal)
  const enrol = { seconds: enrolSeconds, cpu: cpuBetween(before, cpuOf(tree)) }
  say(`enrolled ${sites} sites in ${enrolSeconds.toFixed(1)} s: ${JSON.stringify(enrol.cpu)} s of processor`)
  await restOf(restMs, signal)
  await prepareImage(tree)
  await restOf(2_000, signal)
  before = cpuOf(tree)
  const reached = await deployToAll(tree, sites, options)
  const deploy = { ...reached, cpu: cpuBetween(before, cpuOf(tree)) }
  say(`deployed: ${JSON.stringify(deploy)}`)
  await restOf(settleMs, signal)
  say(`idle for ${options.idleSeconds} s`)
  const idle = await beIdle(tree, options)
  const rest = memoryOfTree(tree)
  say(`idle: ${JSON.stringify(idle)}; MB resident: ${JSON.stringify(rest)}`)
  const stormed = await storm(tree, options)
  say(`storm: ${JSON.stringify(stormed)}`)
  return { enrol, deploy, idle, rest, storm: stormed, towerPeak: peakOf(tree.tower.pid()) }
}

/** Runs the whole tree once. Everything it starts is ended, everything it wrote removed. */
export const measureScale = async (options: MeasureOptions): Promise<ScaleFigures> => {
  const { sites, program, profileDir, say, signal } = options
  const own = (name: string): NodeProcessOptions => {
    const dir = join(options.dir, name)
    mkdirSync(dir, { recursive: true })
    return { dir, program, profileDir: name === 'base' ? undefined : profileDir }
  }
  try {
    say('memory of a tower, an aggregator and a process of edges without sites')
    const base = await measureBase(own('base'), signal)
    const zones = zonesOf(sites)
    say(`a tower and ${zones.length} aggregators`)
    const tree = await startTree(zones, own('tree'), signal)
    try {
      const measured = await measureTree(tree, options)
      return {
        sites,
        processors: availableParallelism(),
        aggregators: zones.length,
        edgeProcesses: zones.length,
        enrol: measured.enrol,
        deploy: measured.deploy,
        idle: measured.idle,
        storm: measured.storm,
        memory: {
          towerBase: base.tower,
          towerRest: measured.rest.tower,
          towerPeak: measured.towerPeak,
          aggregatorBase: base.aggregator,
          aggregatorRest: measured.rest.aggregator,
          edgesBase: base.edges,
          edgesRest: measured.rest.edges,
        },
      }
    } finally {
      say('ends what it started')
      await tree.stop()
    }
  } finally {
    rmSync(options.dir, { recursive: true, force: true })
  }
}
