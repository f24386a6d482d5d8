import type { BookGuard, ReplicationGuards, SealGuards, StartGuard } from '../crdt/index.ts'
import type { PlanGuard } from '../runtime/index.ts'
import type { ChildGuard, SiteGuard } from './services/deployments/index.ts'
import type { HelloGuard, JoinGuard } from './services/membership/index.ts'

/** What an edge asks of what it accepts. */
export const edgeGuards = ['unchanged-stays', 'on-disk', 'only-new', 'restarts-only-new'] as const
/** What a site asks before it writes what it chose. */
export const deskGuards = ['kept', 'only-new'] as const
/** What holds a zone's reports back. */
export const reportGuards = ['policy'] as const
/** What a node asks on its links. */
export const linkGuards = ['calls-again', 'blob-named', 'version-named'] as const
/** What a node keeps no more of than so much. */
export const boundGuards = ['waiting-changes', 'versions'] as const

/**
 * What the parts of a node ask before they believe, send, keep or do something. Each part that is named asks only what its
 * list holds; a part that is not named asks everything. Nothing that starts a node makes one: a proof hands it in, with one
 * question left out (docs/simulation.md, Proving).
 */
export interface NodeGuards {
  readonly replication?: ReplicationGuards
  readonly sealing?: SealGuards
  readonly bounds?: ReadonlySet<(typeof boundGuards)[number]>
  readonly book?: ReadonlySet<BookGuard>
  readonly join?: ReadonlySet<JoinGuard>
  readonly hello?: ReadonlySet<HelloGuard>
  readonly children?: ReadonlySet<ChildGuard>
  readonly starts?: ReadonlySet<StartGuard>
  readonly site?: ReadonlySet<SiteGuard>
  readonly plan?: ReadonlySet<PlanGuard>
  readonly edge?: ReadonlySet<(typeof edgeGuards)[number]>
  readonly desks?: ReadonlySet<(typeof deskGuards)[number]>
  readonly reports?: ReadonlySet<(typeof reportGuards)[number]>
  readonly links?: ReadonlySet<(typeof linkGuards)[number]>
}

type NamedPart = Exclude<keyof NodeGuards, 'replication' | 'sealing'>
type NameIn<Part extends NamedPart> = NonNullable<NodeGuards[Part]> extends ReadonlySet<infer Name> ? Name : never

/** Whether a proof left this question out. */
export const isOut = <Part extends NamedPart>(
  guards: NodeGuards | undefined,
  part: Part,
  name: NameIn<Part>,
): boolean => {
  const asked = guards?.[part] as ReadonlySet<unknown> | undefined
  return asked !== undefined && !asked.has(name)
}
