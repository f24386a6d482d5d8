import type { ScaleFigures } from './figures.ts'

/** A quantity that a run has, and how it depends on sites: a part that is always there, and one for each site. */
interface Term {
  readonly what: string
  readonly unit: string
  readonly of: (figures: ScaleFigures) => number
}

const cpu = (what: string, pick: (figures: ScaleFigures) => number): Term => ({
  what,
  unit: 's of processor',
  of: pick,
})

/** The terms of the model (docs/scale.md). */
const terms: readonly Term[] = [
  { what: 'enrol', unit: 's', of: ({ enrol }) => enrol.seconds },
  cpu('enrol-cpu-tower', ({ enrol }) => enrol.cpu.tower),
  cpu('enrol-cpu-aggregators', ({ enrol }) => enrol.cpu.aggregators),
  cpu('enrol-cpu-edges', ({ enrol }) => enrol.cpu.edges),
  { what: 'accept-99', unit: 's', of: ({ deploy }) => deploy.accepted.most / 1_000 },
  { what: 'running-99', unit: 's', of: ({ deploy }) => deploy.running.most / 1_000 },
  cpu('deploy-cpu-tower', ({ deploy }) => deploy.cpu.tower),
  cpu('deploy-cpu-aggregators', ({ deploy }) => deploy.cpu.aggregators),
  cpu('deploy-cpu-edges', ({ deploy }) => deploy.cpu.edges),
  { what: 'tower-rest', unit: 'MB', of: ({ memory }) => memory.towerRest },
  { what: 'aggregators-rest', unit: 'MB', of: ({ memory, aggregators }) => memory.aggregatorRest * aggregators },
  { what: 'edges-rest', unit: 'MB', of: ({ memory, edgeProcesses }) => memory.edgesRest * edgeProcesses },
  { what: 'idle-bytes', unit: 'B/s', of: ({ idle }) => idle.edgeBytes / idle.seconds },
]

export interface Prediction {
  readonly what: string
  readonly unit: string
  /** What is there without any site, and what each site adds. */
  readonly fixed: number
  readonly perSite: number
  readonly predicted: number
  /** Of a run of that size, where there is one: what it had, and by how much of it the model is off. */
  readonly measured?: number
  readonly off?: number
}

/**
 * What a run of so many sites will have, on the line through two smaller ones.
 * @throws {RangeError} when both have the same number of sites
 */
export const predict = (
  runs: readonly [ScaleFigures, ScaleFigures],
  sites: number,
  measured?: ScaleFigures,
): readonly Prediction[] => {
  const [small, large] = runs
  if (small.sites === large.sites) throw new RangeError('a model is fitted to two runs of different size')
  return terms.map(({ what, unit, of }) => {
    const perSite = (of(large) - of(small)) / (large.sites - small.sites)
    const fixed = of(small) - perSite * small.sites
    const predicted = fixed + perSite * sites
    if (measured === undefined) return { what, unit, fixed, perSite, predicted }
    const was = of(measured)
    return { what, unit, fixed, perSite, predicted, measured: was, off: (predicted - was) / was }
  })
}
