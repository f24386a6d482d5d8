import { type BenchRow, measured } from '../bench-row.ts'
import type { CpuByRole, ScaleFigures } from './figures.ts'

/** The size at which the large bars are asked of a run, and the one it is compared with. */
export const largeSites = 10_000
export const comparedSites = 1_000

const barEnrolSeconds = 480
const barAcceptSeconds = 5
const barAcceptLargeSeconds = 30
const barTowerMb = 1.5 * 1_073.741824
const barTowerPerSiteKib = 60
const barStormSeconds = 60
const barIdleKbit = 0.25
const barGrowth = 1.5
/** Below so many sites what a process holds per site drowns in what it has not collected yet. */
const leastForMemory = 1_000

const perSite = (seconds: number, { sites }: ScaleFigures): number => (seconds * 1_000) / sites
const kib = (mb: number): number => (mb * 1_000_000) / 1_024
const kbit = (bytes: number, { sites, idle }: ScaleFigures): number => (bytes * 8) / 1_000 / idle.seconds / sites

const cpuRows = (what: string, cpu: CpuByRole, figures: ScaleFigures, why: string): readonly BenchRow[] =>
  (['tower', 'aggregators', 'edges'] as const).map((role) =>
    measured(`${what}-cpu-${role}`, 'ms of processor per site', null, perSite(cpu[role], figures), why),
  )

const timeRows = ({ sites, deploy: { accepted, running } }: ScaleFigures): readonly BenchRow[] => {
  const bar = sites >= largeSites ? barAcceptLargeSeconds : barAcceptSeconds
  const all =
    'processors: edges judge, store and sync what they accept on the machine that also runs tower and aggregators'
  const seen = 'processors, and how often the tower is asked: seldom enough to cost it a twentieth of its time'
  return [
    measured('accept-50', 's', null, accepted.half / 1_000, all),
    measured('accept-99', 's', bar, accepted.most / 1_000, all),
    measured('accept-100', 's', null, accepted.all / 1_000, all),
    measured('running-50', 's', null, running.half / 1_000, seen),
    measured('running-99', 's', null, running.most / 1_000, seen),
    measured('running-100', 's', null, running.all / 1_000, seen),
  ]
}

const memoryRows = (figures: ScaleFigures): readonly BenchRow[] => {
  const { sites, aggregators, edgeProcesses, memory } = figures
  const perSiteBar = sites >= leastForMemory ? barTowerPerSiteKib : null
  const heap = 'memory: reports and certificates of all hosts, and what was not collected yet'
  return [
    measured('tower-base', 'MB', null, memory.towerBase, 'memory: Node, libp2p and the program'),
    measured('tower-rest', 'MB', null, memory.towerRest, heap),
    measured(
      'tower-rss',
      'MB',
      sites >= largeSites ? barTowerMb : null,
      memory.towerPeak,
      `${heap}; the most there was`,
    ),
    measured('tower-per-site', 'KiB', perSiteBar, kib(memory.towerRest - memory.towerBase) / sites, heap),
    measured('aggregator-rest', 'MB', null, memory.aggregatorRest, heap),
    measured(
      'aggregator-per-site',
      'KiB',
      null,
      (kib(memory.aggregatorRest - memory.aggregatorBase) * aggregators) / sites,
      'memory: a link, its streams and their buffers, two lanes and a report for each site',
    ),
    measured(
      'edge-memory',
      'KiB',
      null,
      (kib(memory.edgesRest - memory.edgesBase) * edgeProcesses) / sites,
      'memory of one edge more in a process of many; LevelDB is shared by them',
    ),
  ]
}

const stormRow = ({ storm }: ScaleFigures): BenchRow => {
  const refused = Object.entries(storm.unlinked).map(([why, count]) => `${count}: ${why}`)
  const row = measured(
    `storm-${storm.sites}`,
    's',
    barStormSeconds,
    storm.seconds,
    'the wait of an edge before it tries again: up to 12 s after an absence of 10 s, 45 s after a long one',
  )
  return refused.length === 0
    ? row
    : { ...row, holds: false, why: `edges without a link afterwards: ${refused.join('; ')}` }
}

const above = ({ tower, aggregators }: CpuByRole): number => tower + aggregators

/** Processor time of a deployment without what linked sites at rest would have cost in the same time, in seconds. */
const deployedAlone = ({ deploy, idle }: ScaleFigures): number =>
  above(deploy.cpu) - (above(idle.cpu) / idle.seconds) * (deploy.running.all / 1_000)

/** How much more each site costs tower and aggregators than in a smaller run. */
const growthRows = (figures: ScaleFigures, small: ScaleFigures): readonly BenchRow[] => {
  const grew = (secondsOf: (of: ScaleFigures) => number) =>
    perSite(secondsOf(figures), figures) / perSite(secondsOf(small), small)
  const [enrol, deploy] = [grew(({ enrol: { cpu } }) => above(cpu)), grew(({ deploy: { cpu } }) => above(cpu))]
  const beside = `processor time of tower and aggregators per site, over that at ${small.sites} sites`
  return [
    measured('cost-growth-enrol', 'times', null, enrol, beside),
    measured('cost-growth-deploy', 'times', null, deploy, `${beside}; what sites at rest cost meanwhile included`),
    measured(
      'cost-growth-deploy-alone',
      'times',
      null,
      grew(deployedAlone),
      `${beside}; without what they cost at rest`,
    ),
    measured('cost-growth', 'times', barGrowth, Math.max(enrol, deploy), `${beside}: the worse of the two`),
  ]
}

/** @param small a run with fewer sites to compare with @default no row of growth */
export const rowsOf = (figures: ScaleFigures, small?: ScaleFigures): readonly BenchRow[] => {
  const { sites, enrol, deploy, idle } = figures
  return [
    measured(
      'sites',
      'sites',
      null,
      sites,
      'edges share one LevelDB per process, a prefix each, and one file for their state files; engines are simulated',
    ),
    measured(
      'enrol',
      's',
      sites >= largeSites ? barEnrolSeconds : null,
      enrol.seconds,
      'processors: a handshake, two judgements, a certificate, lanes and syncs for each site, both ends here',
    ),
    ...cpuRows('enrol', enrol.cpu, figures, 'processors'),
    ...timeRows(figures),
    ...cpuRows('deploy', deploy.cpu, figures, 'processors, the questions to the tower included'),
    measured(
      'idle-bits',
      'kbit/s',
      barIdleKbit,
      kbit(idle.edgeBytes, figures),
      `a sign of life every 10 s, a report every five minutes; both directions at the sockets of edges over ${idle.seconds.toFixed(0)} s`,
    ),
    ...(idle.upBytes === null
      ? []
      : [
          measured(
            'idle-bits-up',
            'kbit/s',
            null,
            kbit(idle.upBytes, figures),
            'between aggregators and tower, per site',
          ),
        ]),
    ...cpuRows('idle', idle.cpu, figures, `in ${idle.seconds.toFixed(0)} s`),
    stormRow(figures),
    ...memoryRows(figures),
    ...(small === undefined ? [] : growthRows(figures, small)),
  ]
}
