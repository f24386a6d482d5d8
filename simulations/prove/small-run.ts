import { sites, type Topology, type Zone } from '../../topologies/index.ts'
import { type RunResult, runScenario, type Scenario } from '../scenarios/index.ts'
import type { Doctor } from './guard.ts'

/** What of a run is left in, as data: a command line names it. */
export interface SmallRun {
  /** Faults that are left in, by their number in the run. */
  readonly faults: readonly number[]
  readonly moves: readonly number[]
  /** How long operators and faults are at work, in milliseconds. */
  readonly harmMs: number
  /** Whether operators do in the end what none of them did. */
  readonly isFinished: boolean
  /** Sites that are left out of the topology. */
  readonly without: readonly string[]
}

/** What a run was made from, and what it then came to. */
export interface RunRequest {
  readonly scenario: Scenario
  readonly seed: number
  readonly signatures?: 'keyed' | 'ed25519'
  readonly doctor?: () => Doctor
  readonly trace?: (line: string) => void
}

/** Like `faults=1,4;moves=0;harm-s=30;finish=no;without=n1`. */
export const formatSmallRun = ({ faults, moves, harmMs, isFinished, without }: SmallRun): string =>
  [
    `faults=${faults.join()}`,
    `moves=${moves.join()}`,
    `harm-s=${harmMs / 1000}`,
    `finish=${isFinished ? 'yes' : 'no'}`,
    ...(without.length > 0 ? [`without=${without.join()}`] : []),
  ].join(';')

const numbers = (text: string): readonly number[] | undefined =>
  text === '' ? [] : /^\d{1,6}(,\d{1,6})*$/.test(text) ? text.split(',').map(Number) : undefined

/** @throws {Error} that says what is wrong with the text */
export const parseSmallRun = (text: string): SmallRun => {
  const refuse = (part: string): never => {
    throw new Error(`--plan ${part}: give it as faults=1,4;moves=0;harm-s=30;finish=no;without=SITE`)
  }
  const found: Record<string, string> = {}
  for (const part of text.split(';')) {
    const [, key, value] = /^(faults|moves|harm-s|finish|without)=(.*)$/.exec(part) ?? []
    if (key === undefined || value === undefined || found[key] !== undefined) return refuse(part)
    found[key] = value
  }
  const harmS = Number(found['harm-s'])
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(found['harm-s'] ?? '')) refuse(`harm-s=${found['harm-s'] ?? ''}`)
  if (found.finish !== 'yes' && found.finish !== 'no') refuse(`finish=${found.finish ?? ''}`)
  return {
    faults: numbers(found.faults ?? '') ?? refuse(`faults=${found.faults}`),
    moves: numbers(found.moves ?? '') ?? refuse(`moves=${found.moves}`),
    harmMs: harmS * 1000,
    isFinished: found.finish === 'yes',
    without: (found.without ?? '').split(',').filter((name) => name !== ''),
  }
}

/** Names of the sites of a topology where applications run. */
export const edgeSites = (topology: Topology): readonly string[] =>
  sites(topology)
    .filter(({ type }) => type === 'edge')
    .map(({ name }) => name)

const zoneWithout = (zone: Zone, names: ReadonlySet<string>): Zone => ({
  ...zone,
  sites: zone.sites.filter(({ name }) => !names.has(name)),
  zones: zone.zones.map((inner) => zoneWithout(inner, names)),
})

/** Runs what is left of a run. */
export const runSmall = (small: SmallRun, request: RunRequest): Promise<RunResult> => {
  const { scenario, seed, signatures, doctor, trace } = request
  const left = { fault: new Set(small.faults), move: new Set(small.moves) }
  const topology = { ...scenario.topology, root: zoneWithout(scenario.topology.root, new Set(small.without)) }
  return runScenario(
    { ...scenario, topology, harmMs: small.harmMs },
    {
      seed,
      ...(signatures && { signatures }),
      ...(doctor && { doctor: doctor() }),
      ...(trace && { trace }),
      plan: { keeps: (kind, index) => left[kind].has(index), isFinished: small.isFinished },
    },
  )
}
