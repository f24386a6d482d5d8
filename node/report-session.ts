import { createReportTeller } from './report-stream.ts'
import type { CarriedHost, CarriedZone, ToldHosts } from './reports.ts'

/** What the listener of one stream of reports was told, so that it is told what is new alone. */
export const createReportSession = () => {
  const teller = createReportTeller()
  /** What zones were told of, by scope. */
  const zones = new Map<string, string>()
  let records = ''
  let isFirst = true
  return {
    /** A new stream: the other end knows nothing. */
    reset: (): void => {
      teller.reset()
      zones.clear()
      records = ''
      isFirst = true
    },
    /** What is said of hosts next. */
    hosts: (hosts: readonly CarriedHost[], nowMs: number): ToldHosts => {
      const begins = isFirst
      isFirst = false
      return { isFirst: begins, ...teller.next(hosts, nowMs) }
    },
    isTold: (scope: string, said: string): boolean => zones.get(scope) === said,
    /** Zones of which something is new; counts always are, as their ages are. */
    freshZones: <Zone extends Pick<CarriedZone, 'scope'>>(
      all: readonly (Zone & { readonly said: string })[],
    ): readonly Zone[] =>
      all.filter(({ scope, said }) => {
        if (zones.get(scope) === said) return false
        zones.set(scope, said)
        return true
      }),
    /** None while it was told of just these. */
    freshRecords: <Record extends { readonly id: string }>(all: readonly Record[]): readonly Record[] => {
      const now = all.map(({ id }) => id).join()
      if (now === records) return []
      records = now
      return all
    },
  }
}

export type ReportSession = ReturnType<typeof createReportSession>
