import type { Clock, Log } from '../../base/index.ts'

/** Why a caller was refused or a link was cut; `dial-failed` counts this node's own dials that made no link. */
export const refusalKinds = [
  'too-many',
  'too-slow',
  'oversize',
  'garbage',
  'other-network',
  'other-version',
  'dial-failed',
] as const
export type RefusalKind = (typeof refusalKinds)[number]

/** Peers and addresses remembered as logged; when they are more, they are counted but no longer logged one by one. */
const maxLogged = 1000
/** After so many milliseconds all are logged anew. */
const forgetMs = 3_600_000

export interface Refusals {
  /**
   * Counts one refusal; the first of a kind and peer is logged.
   * @param who key or address, without a port
   */
  note(kind: RefusalKind, who: string, words: string): void
  /** Counts without a line: who called has the error. */
  count(kind: RefusalKind): void
  counts(): Readonly<Record<RefusalKind, number>>
}

export const createRefusals = (clock: Clock, log: Log): Refusals => {
  const counts = Object.fromEntries(refusalKinds.map((kind) => [kind, 0])) as Record<RefusalKind, number>
  const logged = new Set<string>()
  let sinceMs = clock.monotonicMs()
  return {
    note: (kind, who, words) => {
      counts[kind]++
      if (clock.monotonicMs() - sinceMs > forgetMs) {
        logged.clear()
        sinceMs = clock.monotonicMs()
      }
      const key = `${kind} ${who}`
      if (logged.has(key) || logged.size > maxLogged) return
      logged.add(key)
      if (logged.size > maxLogged) log.warn('refused links of many peers: more are counted, not logged')
      else log.warn(`refused a link: ${words}`, { kind, peer: who })
    },
    count: (kind) => {
      counts[kind]++
    },
    counts: () => ({ ...counts }),
  }
}
