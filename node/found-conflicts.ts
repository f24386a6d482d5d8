import type { ScopePath } from '../base/index.ts'
import {
  type Book,
  type Conflict,
  type Documents,
  effective,
  formatLaneName,
  type LaneName,
  type LaneView,
  type ReadEntry,
} from '../crdt/index.ts'
import type { ApplicationNames } from './application-names.ts'
import type { ZoneBelow } from './conflicts.ts'
import type { ScopeLanes } from './scope-lanes.ts'

/** One conflict with the lanes' tenant it was found in. */
export interface FoundConflict {
  readonly tenant: string
  readonly scope: ScopePath
  readonly conflict: Conflict
}

export interface FoundConflictsOptions {
  readonly scope: ScopePath
  readonly lanes: ScopeLanes
  readonly documents: Documents
  readonly book: Book
  readonly names: ApplicationNames
  readonly below: () => readonly ZoneBelow[]
}

/** The ids a conflict is about: more than one where applications have one name. */
export const idsOf = ({ application, candidates }: Conflict): readonly string[] => [
  ...new Set([application, ...candidates.flatMap((one) => one.application ?? [])]),
]

/** Of applications of one name the conflict is shown once: under the id known above, else the lowest. */
const isShown = (conflict: Conflict): boolean => {
  const ids = idsOf(conflict).toSorted()
  const idOf = (one: Conflict['candidates'][number]) => one.application ?? conflict.application
  const above = ids.find((id) => conflict.candidates.some((one) => one.voice === 'intent' && idOf(one) === id))
  return conflict.application === (above ?? ids[0])
}

/** Finds conflicts in what is held here: in this node's own scope, and in zones right below. */
export const createFoundConflicts = (options: FoundConflictsOptions) => {
  const { scope, lanes, documents, book, names, below } = options

  const viewOf = async (lane: LaneName): Promise<LaneView | undefined> => {
    const id = documents.idOf(lane)
    return id === undefined ? undefined : documents.view(id)
  }

  /** The own lane of a zone as it exports it. */
  const exportedView = ({ scope: of, wishes }: ZoneBelow, tenant: string): LaneView | undefined => {
    const own = wishes.filter((wish) => wish.tenant === tenant)
    if (own.length === 0) return undefined
    const lane = formatLaneName({ kind: 'local', scope: of, tenant })
    return { lane, voice: 'local', entries: new Map(own.map(({ application, read }) => [application, [read]])) }
  }

  const inZone = async (zone: ZoneBelow, tenant: string): Promise<readonly Conflict[]> => {
    const own = (await viewOf({ kind: 'local', scope: zone.scope, tenant })) ?? exportedView(zone, tenant)
    // Of most zones nobody ever changed anything by themselves: then there is nothing to compare.
    if (own === undefined) return []
    const above = await viewOf({ kind: 'intent', scope: zone.scope, tenant, owner: scope })
    const held = above === undefined ? [own] : [above, own]
    const revisionOf = (version: string) => zone.wishes.find(({ read }) => read.version === version)?.revision
    const nameOf = await names(held, (version) => revisionOf(version) ?? undefined)
    return [...effective(held, zone.policy, nameOf).values()].filter((state) => state.kind === 'conflict')
  }

  return {
    viewOf,
    /** What a zone exports of an entry in its own lane, where the lane itself may not be read here. */
    exported: (zone: string, { hash }: ReadEntry) =>
      below().flatMap(({ scope: of, wishes }) =>
        of === zone ? wishes.filter(({ read }) => read.hash === hash) : [],
      )[0],
    own: async (): Promise<readonly FoundConflict[]> => {
      const found: FoundConflict[] = []
      for (const [tenant, applications] of await lanes.effective())
        for (const state of applications.values())
          if (state.kind === 'conflict' && isShown(state)) found.push({ tenant, scope, conflict: state })
      return found
    },
    /** Of zones whose own lane may be read here, whole or as the zone exports it. */
    readable: async (): Promise<readonly FoundConflict[]> => {
      const found: FoundConflict[] = []
      for (const { id: tenant } of book.tenants())
        for (const zone of below())
          for (const conflict of await inZone(zone, tenant))
            if (isShown(conflict)) found.push({ tenant, scope: zone.scope, conflict })
      return found
    },
  }
}
