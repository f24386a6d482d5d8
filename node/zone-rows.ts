import { type RollUp, rollUpLimits } from '../crdt/index.ts'
import type { Knowledge } from './knowledge.ts'
import type { ScopeLanes } from './scope-lanes.ts'
import { type Hash, type SiteIntent, summarise } from './services/deployments/index.ts'

/** Applications of the zone that are in conflict, and since when. */
export interface OpenConflict {
  readonly application: string
  readonly forMs: number
}

/** What a zone says of itself in its roll-up: counts, and what became of decisions from above. */
export const zoneRows = async ({
  knowledge,
  intents,
  lanes,
  conflicts,
  hash,
  isCounted,
}: {
  readonly knowledge: () => Promise<Knowledge>
  readonly intents: () => Promise<readonly SiteIntent[]>
  readonly lanes: ScopeLanes
  readonly conflicts: () => Promise<readonly OpenConflict[]>
  readonly hash: Hash
  /** Whether counts are asked for. */
  readonly isCounted: boolean
}): Promise<Pick<RollUp, 'rows' | 'own' | 'outcomes'>> => {
  const became = (await lanes.outcomes()).slice(0, rollUpLimits.outcomes)
  if (!isCounted) return { rows: [], own: 0, outcomes: became }
  const known = await knowledge()
  const origins = new Map(
    (await intents()).flatMap(({ site, applications }) =>
      applications.map(({ application, origin }) => [`${site} ${application}`, origin] as const),
    ),
  )
  const rows = summarise({
    ...known,
    hash,
    origins: (site, application) => origins.get(`${site} ${application}`),
    conflicts: await conflicts(),
  })
  return { rows: rows.slice(0, rollUpLimits.rows), own: 0, outcomes: became }
}
