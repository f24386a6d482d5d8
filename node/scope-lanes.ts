import type { ScopePath } from '../base/index.ts'
import {
  type Book,
  type Documents,
  type Effective,
  effective,
  formatEntry,
  type Hash,
  type LaneName,
  type LanePolicy,
  type LaneView,
  type Outcome,
  opaqueId,
  outcomes,
  type ZoneWish,
  zoneViewLimits,
} from '../crdt/index.ts'
import { parentOf } from '../topologies/index.ts'
import type { ApplicationNames } from './application-names.ts'

/** The lanes that say what is wanted at one scope: what its parent handed down, and its operators' own. */
export interface ScopeLanes {
  views(tenant: string): Promise<readonly LaneView[]>
  /** All decisions that they name, also those that were replaced. */
  decisions(): Promise<ReadonlySet<string>>
  /** What they come to, per tenant. */
  effective(): Promise<ReadonlyMap<string, ReadonlyMap<string, Effective>>>
  /** Signed versions that the scope's own lane names. */
  ownVersions(): Promise<readonly { readonly id: string; readonly bytes: Uint8Array }[]>
  /** What the scope's own operators want, without who said so. */
  ownWishes(): Promise<readonly ZoneWish[]>
  /** What became of each decision from above, but for those that were accepted to take something away: that is over. */
  outcomes(): Promise<readonly Outcome[]>
}

export interface ScopeLanesOptions {
  readonly scope: ScopePath
  readonly documents: Documents
  readonly book: Book
  readonly policy: () => LanePolicy
  /** What keeps scopes above from telling local decisions: 32 secret bytes of the zone, for life; none where there is no own lane. */
  readonly salt?: Uint8Array
  /** Tells applications of one name apart. @default none are looked for */
  readonly names?: ApplicationNames
  readonly hash: Hash
}

/** So many opaque ids are kept in memory. */
const mostOpaque = 10_000

const decisionsOf = ({ entries }: LaneView): readonly string[] =>
  [...entries.values()].flatMap((standing) => standing.map(({ decision }) => decision))

const isRetired = (found: Effective | undefined): boolean => found?.kind === 'entry' && found.entry.version === null

export const createScopeLanes = (options: ScopeLanesOptions): ScopeLanes => {
  const { scope, documents, book, policy, salt, hash } = options
  const owner = parentOf(scope) ?? ('/' as ScopePath)
  /** Opaque ids by decision, as they are asked for again and again. */
  const opaqueIds = new Map<string, string>()
  const opaque = (decision: string): string => {
    if (salt === undefined) return decision
    const found = opaqueIds.get(decision) ?? opaqueId(decision, salt, hash)
    if (opaqueIds.size >= mostOpaque) opaqueIds.clear()
    opaqueIds.set(decision, found)
    return found
  }
  const views = async (tenant: string): Promise<readonly LaneView[]> => {
    const lanes: readonly LaneName[] = [
      { kind: 'intent', scope, tenant, owner },
      { kind: 'local', scope, tenant },
    ]
    const found: LaneView[] = []
    for (const lane of lanes) {
      const id = documents.idOf(lane)
      const view = id === undefined ? undefined : await documents.view(id)
      if (view === undefined) continue
      if (lane.kind === 'intent') found.push(view)
      else found.push({ ...view, opaqueIds: new Map(decisionsOf(view).map((one) => [opaque(one), one])) })
    }
    return found
  }
  const comesTo = async (held: readonly LaneView[]): Promise<ReadonlyMap<string, Effective>> =>
    effective(held, policy(), await options.names?.(held))
  return {
    views,
    decisions: async () => {
      const held = await Promise.all(book.tenants().map(({ id }) => views(id)))
      const entries = held.flat().flatMap((view) => [...view.entries.values()].flat())
      return new Set(entries.flatMap(({ decision, seen }) => [decision, ...seen]))
    },
    effective: async () => {
      const found = new Map<string, ReadonlyMap<string, Effective>>()
      for (const { id } of book.tenants()) found.set(id, await comesTo(await views(id)))
      return found
    },
    ownVersions: async () => {
      const found = new Map<string, { readonly id: string; readonly bytes: Uint8Array }>()
      for (const { id } of book.tenants()) {
        const own = (await views(id)).filter(({ voice }) => voice === 'local')
        for (const { version } of own.flatMap(({ entries }) => [...entries.values()].flat())) {
          const record = version === null ? undefined : book.version(version)
          if (record !== undefined) found.set(record.id, record)
        }
      }
      return [...found.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
    },
    ownWishes: async () => {
      const found: ZoneWish[] = []
      for (const { id: tenant } of book.tenants())
        for (const view of (await views(tenant)).filter(({ voice }) => voice === 'local'))
          for (const [application, [read]] of view.entries) {
            if (read === undefined) continue
            const version = read.version === null ? undefined : book.version(read.version)?.body
            const { revision = null, name: deployment = '' } = version ?? {}
            found.push({ tenant, application, entry: formatEntry(read), revision, deployment })
          }
      return found
        .toSorted((a, b) => (`${a.tenant} ${a.application}` < `${b.tenant} ${b.application}` ? -1 : 1))
        .slice(0, zoneViewLimits.wishes)
    },
    outcomes: async () => {
      const all: Outcome[] = []
      for (const { id } of book.tenants()) {
        const held = await views(id)
        const found = await comesTo(held)
        all.push(
          ...outcomes(held, found, opaque).filter(
            ({ application, outcome }) => outcome !== 'accepted' || !isRetired(found.get(application)),
          ),
        )
      }
      return all
    },
  }
}

/** Tells when what became of decisions from above is another than before. */
export const createOutcomeWatch = (lanes: ScopeLanes, onChange: () => void): (() => Promise<void>) => {
  let before = ''
  return async () => {
    // A lane that cannot be read now is told of by who needs it.
    const now = JSON.stringify(await lanes.outcomes().catch(() => undefined))
    if (now === before) return
    before = now
    onChange()
  }
}
