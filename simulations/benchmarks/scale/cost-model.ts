import type { CpuByRole, ScaleFigures } from './figures.ts'

export interface Prediction {
  readonly what: string
  readonly unit: string
  /** What is there without any site, and what each site adds. */
  readonly fixed: number
  readonly perSite: number
  /** Infinite where links that have nothing to do leave no processor for it. */
  readonly predicted: number
  /** Of a run of that size, where there is one: what it had, and by how much of it the model is off. */
  readonly measured?: number
  readonly off?: number
}

type Runs = readonly [small: ScaleFigures, large: ScaleFigures]

interface Line {
  readonly fixed: number
  readonly perSite: number
}

const roles = ['tower', 'aggregators', 'edges'] as const
const sumOf = (cpu: CpuByRole): number => roles.reduce((sum, role) => sum + cpu[role], 0)

/** The line through what two runs had. */
const lineOf = ([small, large]: Runs, of: (figures: ScaleFigures) => number): Line => {
  const perSite = (of(large) - of(small)) / (large.sites - small.sites)
  return { fixed: of(small) - perSite * small.sites, perSite }
}

/** Seconds of processor that one site costs a role in a second in which it has nothing to do. */
const restOf = ({ idle, sites }: ScaleFigures, role: (typeof roles)[number]): number =>
  idle.cpu[role] / idle.seconds / sites

/** A stretch of work: how long it took, its processor time, and how many sites were linked meanwhile, as a share of all. */
interface Stretch {
  readonly what: string
  readonly linked: number
  readonly seconds: (figures: ScaleFigures) => number
  readonly cpu: (figures: ScaleFigures) => CpuByRole
  /** Other moments of it. */
  readonly moments: readonly { readonly what: string; readonly seconds: (figures: ScaleFigures) => number }[]
}

const stretches: readonly Stretch[] = [
  {
    what: 'enrol',
    // From none to all: half of them on the average.
    linked: 0.5,
    seconds: ({ enrol }) => enrol.seconds,
    cpu: ({ enrol }) => enrol.cpu,
    moments: [{ what: 'enrol', seconds: ({ enrol }) => enrol.seconds }],
  },
  {
    what: 'deploy',
    linked: 1,
    seconds: ({ deploy }) => deploy.running.all / 1_000,
    cpu: ({ deploy }) => deploy.cpu,
    moments: [
      { what: 'accept-99', seconds: ({ deploy }) => deploy.accepted.most / 1_000 },
      { what: 'running-99', seconds: ({ deploy }) => deploy.running.most / 1_000 },
    ],
  },
]

interface Predicted extends Line {
  readonly what: string
  readonly unit: string
  readonly predicted: number
  readonly of: (figures: ScaleFigures) => number
}

/**
 * Work is a line; what processors have left for it is what they did at once in the larger run, less what linked sites cost
 * that have nothing to do. So the time is no line: it grows without end where those take all.
 */
const predictStretch = (runs: Runs, sites: number, stretch: Stretch): readonly Predicted[] => {
  const [, large] = runs
  const rest = roles.reduce((sum, role) => sum + restOf(large, role), 0)
  const atOnce = sumOf(stretch.cpu(large)) / stretch.seconds(large)
  const leftOf = (count: number) => Math.max(0, atOnce - rest * stretch.linked * count)
  const timeOf = (seconds: (figures: ScaleFigures) => number) => {
    const line = lineOf(runs, (figures) => seconds(figures) * leftOf(figures.sites))
    return { ...line, predicted: (line.fixed + line.perSite * sites) / leftOf(sites) }
  }
  const whole = timeOf(stretch.seconds).predicted
  return [
    ...stretch.moments.map(({ what, seconds }) => ({ what, unit: 's', of: seconds, ...timeOf(seconds) })),
    ...roles.map((role) => {
      const restIn = (figures: ScaleFigures) =>
        restOf(large, role) * stretch.linked * figures.sites * stretch.seconds(figures)
      const line = lineOf(runs, (figures) => stretch.cpu(figures)[role] - restIn(figures))
      const atRest = restOf(large, role) * stretch.linked * sites * whole
      return {
        what: `${stretch.what}-cpu-${role}`,
        unit: 's of processor',
        of: (figures: ScaleFigures) => stretch.cpu(figures)[role],
        ...line,
        predicted: line.fixed + line.perSite * sites + atRest,
      }
    }),
  ]
}

const held: readonly {
  readonly what: string
  readonly unit: string
  readonly of: (figures: ScaleFigures) => number
}[] = [
  { what: 'tower-rest', unit: 'MB', of: ({ memory }) => memory.towerRest },
  { what: 'aggregators-rest', unit: 'MB', of: ({ memory, aggregators }) => memory.aggregatorRest * aggregators },
  { what: 'edges-rest', unit: 'MB', of: ({ memory, edgeProcesses }) => memory.edgesRest * edgeProcesses },
  { what: 'idle-bytes', unit: 'B/s', of: ({ idle }) => idle.edgeBytes / idle.seconds },
  { what: 'idle-cpu', unit: 's of processor in a second', of: ({ idle }) => sumOf(idle.cpu) / idle.seconds },
]

/**
 * What a run of so many sites will have, from two smaller ones (docs/scale.md).
 * @throws {RangeError} when both have the same number of sites
 */
export const predict = (runs: Runs, sites: number, measured?: ScaleFigures): readonly Prediction[] => {
  if (runs[0].sites === runs[1].sites) throw new RangeError('a model is fitted to two runs of different size')
  const lines = held.map(({ what, unit, of }): Predicted => {
    const line = lineOf(runs, of)
    return { what, unit, of, ...line, predicted: line.fixed + line.perSite * sites }
  })
  return [...stretches.flatMap((stretch) => predictStretch(runs, sites, stretch)), ...lines].map(({ of, ...line }) => {
    if (measured === undefined) return line
    const was = of(measured)
    return { ...line, measured: was, off: (line.predicted - was) / was }
  })
}
