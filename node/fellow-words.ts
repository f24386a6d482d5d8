import type { Clock } from '../base/index.ts'
import { createFleet, type Fleet, type FleetOptions } from './knowledge.ts'
import type { LinkedChild } from './links/index.ts'
import type { CarriedHost, CarriedZone, ReportReader } from './reports.ts'
import { type HostReport, staleAfterMs } from './services/deployments/index.ts'
import { isWithin } from './tree-node.ts'

const rank = { up: 2, down: 1, never: 0 } as const
const ageOf = ({ receivedAgeMs = Number.POSITIVE_INFINITY }: HostReport) => receivedAgeMs

const isBetter = (one: HostReport, other: HostReport): boolean =>
  rank[one.link] === rank[other.link] ? ageOf(one) < ageOf(other) : rank[one.link] > rank[other.link]

/**
 * Which of several words of one host counts: what was heard here on links that are up, while it is fresh, whatever others
 * say; else one that came on links that are up; else what was heard last.
 */
export const wordThatCounts = (own: HostReport, told: readonly HostReport[]): HostReport =>
  own.link === 'up' && ageOf(own) <= staleAfterMs
    ? own
    : told.reduce((best, one) => (isBetter(one, best) ? one : best), own)

/** The same of what a zone further down counts: no link to it is known here. */
const zoneThatCounts = (own: CarriedZone, told: CarriedZone, nowMs: number): CarriedZone =>
  nowMs - own.heardAtMs <= staleAfterMs || own.heardAtMs >= told.heardAtMs ? own : told

/** What the other aggregators of a zone tell of hosts and zones that are linked to them. */
export interface FellowWords {
  /** @returns whether anything is new but that it was heard again. @throws {SkerryError} `bad-message`, `newer-format` */
  take(key: string, value: unknown): boolean
  /** Own words, in their order, and in the place of each what a fellow says where that counts. */
  reports(own: readonly HostReport[], site?: string): readonly HostReport[]
  carried(own: readonly CarriedHost[]): readonly CarriedHost[]
  /** The same of zones further down, by scope. */
  zones(own: ReadonlyMap<string, CarriedZone>): ReadonlyMap<string, CarriedZone>
}

export interface FellowWordsOptions {
  readonly clock: Clock
  /** The zone they run. */
  readonly scope: string
  readonly expected: FleetOptions['expected']
  readonly intendedOrder: FleetOptions['intendedOrder']
  /** Those that are linked now, or were. */
  readonly seen: () => readonly LinkedChild[]
  /** One for each, so that none can put words in the place of another's. */
  readonly createReader: () => ReportReader
}

export const createFellowWords = (options: FellowWordsOptions): FellowWords => {
  const { clock, scope, expected, intendedOrder } = options
  interface Fellow {
    readonly fleet: Fleet
    readonly reader: ReportReader
    readonly zones: Map<string, CarriedZone>
  }
  const fellows = new Map<string, Fellow>()
  const fellowOf = (key: string): Fellow => {
    const children = () => options.seen().filter(({ peer }) => peer === key)
    const fleet = () => createFleet({ clock, expected, children, intendedOrder: () => undefined })
    const found = fellows.get(key) ?? { fleet: fleet(), reader: options.createReader(), zones: new Map() }
    fellows.set(key, found)
    return found
  }
  /** Both decide for sites right below in the same lanes: the newest either knows of is what such a site has to come to. */
  const ordered = (report: HostReport): HostReport => {
    const [here, there] = [intendedOrder(report.site), report.intendedOrder]
    if (here === undefined || (there !== undefined && there >= here)) return report
    return { ...report, intendedOrder: here }
  }

  return {
    take: (key, value) => {
      const { fleet, reader, zones } = fellowOf(key)
      const { hosts, still, zones: found } = reader.read(key, key, value)
      fleet.note(key, hosts)
      fleet.still(key, still)
      for (const zone of found) if (zone.scope !== scope && isWithin(zone.scope, scope)) zones.set(zone.scope, zone)
      return hosts.length > 0 || found.length > 0
    },
    reports: (own, site) => {
      if (fellows.size === 0) return own
      const told = [...fellows.values()].map(({ fleet }) =>
        site === undefined ? fleet.reports() : fleet.reportsOf(site),
      )
      return own.map((one, at) => {
        const counts = wordThatCounts(
          one,
          told.flatMap((reports) => reports[at] ?? []),
        )
        return counts === one ? one : ordered(counts)
      })
    },
    carried: (own) => {
      if (fellows.size === 0) return own
      const [hosts, told] = [new Map(own.map((one) => [one.report.node, one])), [...fellows.values()]]
      for (const one of told.flatMap(({ fleet }) => fleet.carried())) {
        const held = hosts.get(one.report.node)
        if (held === undefined || wordThatCounts(held.report, [one.report]) !== held.report)
          hosts.set(one.report.node, one)
      }
      return [...hosts.values()]
    },
    zones: (own) => {
      if (fellows.size === 0) return own
      const [all, nowMs] = [new Map(own), clock.monotonicMs()]
      for (const one of [...fellows.values()].flatMap(({ zones }) => [...zones.values()])) {
        const held = all.get(one.scope)
        all.set(one.scope, held === undefined ? one : zoneThatCounts(held, one, nowMs))
      }
      return all
    },
  }
}
