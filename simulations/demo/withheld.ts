import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createNodeSignatures, fromHex } from '../../crdt/index.ts'
import { type Canary, createSearch, drawWord, type SearchResult, type Sighting } from './canaries.ts'
import { brokenSpecification } from './shop.ts'
import {
  type DemoStep,
  type Evidence,
  endNode,
  file,
  isSame,
  linked,
  must,
  pidsNow,
  settledSites,
  standingVersion,
  webPort,
} from './step.ts'
import { type Capture, startTappedTower, type TappedTower } from './tapped-tower.ts'
import { httpBody, type World } from './world.ts'

/** The zone that withholds and the open one, at which the same is planted for control. */
const [withheld, open] = [
  { zone: '/south', aggregator: 'south-aggregator', site: 's1', host: 's1-a' },
  { zone: '/north', aggregator: 'north-aggregator', site: 'n1', host: 'n1-a' },
]
type Zone = typeof withheld

/** Changes over this are packed when they are sent. */
const largeChangeBytes = 1_024
const fillerLabels = Object.fromEntries(
  Array.from({ length: 12 }, (_, at) => [`filler.example/part-${at}`, `as long as a label is ${'x'.repeat(100)}`]),
)

/** An application of the zone's own operators: its name, and what a host reports of a container it cannot start. */
const plantApplication = async (
  world: World,
  { zone, aggregator, host }: Zone,
  name: string,
): Promise<readonly Canary[]> => {
  const words = drawWord()
  const path = file(world, `${name}.yaml`, brokenSpecification(name, words, world.driver))
  await world.skerry(['--node', aggregator, 'apply', '-f', path])
  await world.until(`${host} to report what it cannot start`, 60_000, async () => {
    const told = await world.get<unknown>(world.named(aggregator), `/v1/state/applications/${name}`)
    return JSON.stringify(told).includes(words) ? true : undefined
  })
  return [
    { zone, kind: 'names', name, bytes: Buffer.from(name) },
    { zone, kind: 'reports', name: words, bytes: Buffer.from(words) },
  ]
}

/** A line in the log of the shop: the path of a request. */
const plantLog = async (world: World, { zone, site, host }: Zone): Promise<Canary> => {
  const word = drawWord()
  await httpBody(webPort(await world.instances('shop', site)), `/${word}`).catch(() => '')
  const { name, host: at = host } = (await world.instances('shop', site)).find(({ service }) => service === 'web') ?? {}
  await world.until(`the log of ${name} to have it`, 10_000, async () => {
    const { stdout } = await world.skerry(['--node', at, 'logs', 'shop', '--instance', name ?? '', '--tail', '16KiB'])
    return stdout.includes(word) ? true : undefined
  })
  return { zone, kind: 'logs', name: word, bytes: Buffer.from(word) }
}

/** Name and public key that a host of the zone has had from the beginning. */
const hostCanaries = (world: World, { zone, host }: Zone): readonly Canary[] => {
  const path = join(world.named(host)['data-dir'], 'data', 'key.json')
  const { value } = JSON.parse(readFileSync(path, 'utf8')) as { readonly value: { readonly seed: string } }
  const { publicKey } = createNodeSignatures().signer(fromHex(value.seed))
  return [
    { zone, kind: 'names', name: host, bytes: Buffer.from(`"${host}"`) },
    { zone, kind: 'names', name: `key of ${host}`, bytes: Buffer.from(publicKey) },
  ]
}

/** Asks the tower for what is inside a zone. @returns what it printed, or its refusal */
const askLogs = async (world: World, { site }: Zone): Promise<{ readonly code: number; readonly text: string }> => {
  const { code, stdout, stderr } = await world.ask([
    '--endpoint',
    `unix:${world.node('tower')['api-socket']}`,
    'logs',
    'shop',
    '--site',
    site,
    '--tail',
    '16KiB',
  ])
  return { code, text: code === 0 ? stdout : stderr.trim() }
}

interface Planted {
  readonly zone: Zone
  readonly application: string
  readonly canaries: readonly Canary[]
}

const plantAll = async (world: World, zone: Zone): Promise<Planted> => {
  const application = drawWord()
  const canaries = [
    ...hostCanaries(world, zone),
    ...(await plantApplication(world, zone, application)),
    await plantLog(world, zone),
  ]
  return { zone, application, canaries }
}

/** Takes the application of the zone's own operators away again. */
const removeApplication = async (world: World, { zone: { aggregator }, application }: Planted): Promise<void> => {
  await world.skerry(['--node', aggregator, 'delete', 'deployment', `${application}-everywhere`])
  await world.skerry(['--node', aggregator, 'delete', 'application', application])
}

/** The last messages alone: all of a stream is searched once, at the end. */
const newest = (capture: Capture): Capture => ({ ...capture, messages: capture.messages.slice(-6) })

const isReported = ({ captures }: TappedTower, canary: Canary): boolean => {
  const search = createSearch([canary])
  search.links(captures.filter(({ purpose }) => purpose === 'reports').map(newest))
  return search.found().sightings.length > 0
}

const listen = async (world: World, tower: TappedTower, large: Canary) => {
  for (const { aggregator } of [withheld, open]) await linked(world, world.named(aggregator))
  const plants = [await plantAll(world, withheld), await plantAll(world, open)]
  const planted = [...plants.flatMap(({ canaries }) => canaries), large]
  const [asked, refused] = [await askLogs(world, open), await askLogs(world, withheld)]
  must(asked.code === 0, `the tower cannot read the logs of ${open.site}: ${asked.text}`)
  must(refused.code !== 0, `the tower reads the logs of ${withheld.site}`)
  const search = createSearch(planted)
  // By the way of reports everything of north has come when this has, and south was no slower.
  const own = planted.find(({ zone, kind }) => zone === open.zone && kind === 'reports')
  await world.until('the report of north to arrive', 60_000, async () =>
    own !== undefined && isReported(tower, own) ? true : undefined,
  )
  for (const one of plants) await removeApplication(world, one)
  await tower.stop()
  search.links(tower.captures)
  await search.folder(`${world.node('tower')['data-dir']}/data`)
  return { planted, refused: refused.text, result: search.found() }
}

const describe = (sightings: readonly Sighting[], canary: Canary) => {
  const own = sightings.filter((one) => one.canary === canary)
  return { kind: canary.kind, canary: canary.name, found: [...new Set(own.map(({ where }) => where))] }
}

const judge = (planted: readonly Canary[], { sightings, bytes, pieces }: SearchResult, large: Canary): Evidence => {
  const leaks = sightings.filter(({ canary }) => canary.zone === withheld.zone)
  must(
    leaks.length === 0,
    `south withholds and was heard: ${JSON.stringify(leaks.map(({ canary, where }) => [canary.kind, canary.name, where]))}`,
  )
  const controls = planted.filter(({ zone }) => zone === open.zone).map((canary) => describe(sightings, canary))
  const lost = controls.filter(({ found }) => found.length === 0)
  must(lost.length === 0, `controls were not found: ${JSON.stringify(lost)}`)
  const change = sightings.find(
    ({ canary, folds, pieceBytes }) =>
      canary === large && folds.at(-1)?.endsWith('change') && pieceBytes > largeChangeBytes,
  )
  must(change !== undefined, 'the control in a large change was not found inside of one')
  return {
    searched: { bytes, pieces },
    'of-south': planted.filter(({ zone }) => zone === withheld.zone).map((canary) => describe(sightings, canary)),
    'controls-of-north': controls,
    'control-in-a-large-change': { bytes: change?.pieceBytes, packed: change?.folds },
  }
}

export const withheldBySouth: DemoStep = {
  name: 'withheld-by-south',
  brief: 'canaries of south are in nothing that the tower heard and kept',
  proves:
    'south withholds logs, names and reports: what was planted there is nowhere in what its link to the tower carried, both ways and in plain text, and nowhere in the store of the tower; the same planted in north is found by the same search',
  run: async (world) => {
    const standing = await standingVersion(world)
    const before = await pidsNow(world, world.sites())
    const word = drawWord()
    const large: Canary = {
      zone: open.zone,
      kind: 'label in a change over 1 KiB',
      name: word,
      bytes: Buffer.from(word),
    }
    await endNode(world, world.node('tower'), 'SIGTERM')
    const tower = await startTappedTower(world.node('tower'), (topology) => ({
      ...topology,
      root: {
        ...topology.root,
        zones: topology.root.zones.map((zone) =>
          zone.path === open.zone
            ? { ...zone, labels: { ...zone.labels, ...fillerLabels, 'canary.example/word': word } }
            : zone,
        ),
      },
    }))
    let heard: Awaited<ReturnType<typeof listen>>
    try {
      heard = await listen(world, tower, large)
    } finally {
      await tower.stop()
      await world.up()
    }
    const { planted, refused, result } = heard
    const streams = tower.captures.filter(({ messages }) => messages.length > 0)
    const after = await pidsNow(world, world.sites())
    must(isSame(after, before), `something was restarted: ${JSON.stringify([before, after])}`)
    await settledSites(world, standing, world.sites())
    return {
      tap: 'the demo itself was the tower meanwhile, on the folder of the real one; no option of a node leads to a tap',
      streams: streams.length,
      'the-tower-asked-for-logs-of-s1': refused,
      ...judge(planted, result, large),
    }
  },
}
