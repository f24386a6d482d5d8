import { SkerryError } from '../../base/index.ts'
import { pause, shopArchive } from '../demo/index.ts'
import { alone, type BenchOptions, type BenchRow, stated } from './bench-row.ts'
import { cpuSecondsOf, memoryOf } from './process-cost.ts'
import { type KeptIntent, readIntents } from './tower-disk.ts'
import { layTower, type TowerFolder, type TowerProcess } from './tower-process.ts'

const sites = 10_000
const idleMs = 10_000
const barRssMb = 400
const barStartSeconds = 5
const barChangeCpuSeconds = 15

const application = (version: number): string => `name: shop
version: "${version}"
services:
  - name: web
    mode: one-per-matching-host
    containers:
      - name: web
        image: demo/shop:1
        env: { VERSION: "${version}" }
`
const deployment = `name: everywhere
application: shop
application-version: "*"
placement: { all-sites: true }
`
const yaml = 'application/yaml'
const putVersion = (tower: TowerProcess, version: number) =>
  tower.send('PUT', '/v1/config/applications/shop', application(version), yaml)

/** Every site's intent from disk. @throws {SkerryError} `not-told` unless each names one and the same version, not `before` */
const intentsOnDisk = async (tower: TowerFolder, before: string | undefined): Promise<readonly KeptIntent[]> => {
  const intents = await readIntents(tower.dataDir)
  const versions = new Set(intents.map(({ version }) => version))
  const [version] = versions
  if (intents.length !== sites || versions.size !== 1 || version == null || version === before)
    throw new SkerryError(
      'not-told',
      `on disk are ${intents.length} intents of ${sites}, naming ${versions.size} versions${version === before ? ', the one from before' : ''}`,
    )
  return intents
}

export interface TowerCost {
  readonly rows: readonly BenchRow[]
  /** What a peer is to keep as well. */
  readonly intents: readonly KeptIntent[]
  /** Of each round, to set beside a peer's: processor seconds of a change, MB resident at rest, seconds of a start. */
  readonly figures: {
    readonly changeCpu: readonly number[]
    readonly rss: readonly number[]
    readonly start: readonly number[]
  }
}

/** A tower with the first version told to all sites, stopped. */
const prepare = async (dir: string, say: BenchOptions['say']): Promise<TowerFolder> => {
  const folder = layTower(dir, sites)
  say(`tower: begins ${sites} member lanes and ${sites} intents`)
  const tower = await folder.start()
  try {
    await tower.send('POST', '/v1/state/images', await shopArchive(), 'application/x-tar')
    await putVersion(tower, 1)
    const [cpu, startedMs] = [cpuSecondsOf(tower.pid), performance.now()]
    await tower.send('PUT', '/v1/config/application-deployments/everywhere', deployment, yaml)
    const doneMs = await tower.quiet()
    const took = ((doneMs - startedMs) / 1_000).toFixed(1)
    say(
      `tower: first start ${(tower.readyMs / 1_000).toFixed(1)} s; all told in ${took} s, ${(cpuSecondsOf(tower.pid) - cpu).toFixed(1)} s of processor`,
    )
  } finally {
    await tower.stop()
  }
  return folder
}

/** Rows of a tower of ten thousand sites. @param dir a folder of the benchmark's own */
export const towerCost = async (dir: string, { runs, say, signal }: BenchOptions): Promise<TowerCost> => {
  const folder = await prepare(dir, say)
  let intents = await intentsOnDisk(folder, undefined)
  const figures = {
    start: [] as number[],
    startCpu: [] as number[],
    rss: [] as number[],
    rssChanged: [] as number[],
    changeCpu: [] as number[],
    changeWall: [] as number[],
  }
  for (let round = 0; round < runs; round++) {
    signal.throwIfAborted()
    const tower = await folder.start()
    try {
      figures.startCpu.push(cpuSecondsOf(tower.pid))
      await pause(idleMs)
      figures.start.push(tower.readyMs / 1_000)
      figures.rss.push(memoryOf(tower.pid).rss)
      const [cpu, startedMs] = [cpuSecondsOf(tower.pid), performance.now()]
      await putVersion(tower, round + 2)
      const doneMs = await tower.quiet()
      figures.changeCpu.push(cpuSecondsOf(tower.pid) - cpu)
      figures.changeWall.push((doneMs - startedMs) / 1_000)
      await pause(idleMs)
      figures.rssChanged.push(memoryOf(tower.pid).rss)
    } finally {
      await tower.stop()
    }
    intents = await intentsOnDisk(folder, intents[0]?.version ?? undefined)
    const last = (of: readonly number[]) => of.at(-1)?.toFixed(1)
    say(
      `tower ${round + 1}/${runs}: ready in ${last(figures.start)} s, ${last(figures.rss)} MB; ${intents.length} intents changed on disk in ${last(figures.changeWall)} s, ${last(figures.changeCpu)} s of processor, ${last(figures.rssChanged)} MB after it`,
    )
  }
  return {
    rows: [
      alone('rss-10k', 'MB', barRssMb, figures.rss),
      stated('rss-10k-changed', 'MB', figures.rssChanged),
      alone('start-10k', 's', barStartSeconds, figures.start),
      stated('start-10k-cpu', 's of processor', figures.startCpu),
      alone('change-10k', 's of processor', barChangeCpuSeconds, figures.changeCpu),
      stated('change-10k-wall', 's', figures.changeWall),
    ],
    intents,
    figures,
  }
}
