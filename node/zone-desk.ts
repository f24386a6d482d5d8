import { errorText, type Log, type ScopePath } from '../base/index.ts'
import {
  type AuthorityPowers,
  type Book,
  type DeploymentVersion,
  type Documents,
  type Effective,
  type Envelope,
  formatLaneName,
  type LaneName,
  type LanePolicy,
  type LaneValue,
  type LaneView,
  type Owner,
  parseEntry,
  type Signer,
  type Store,
} from '../crdt/index.ts'
import type { NodeGuards } from './guards.ts'
import type { LabelSight } from './label-sight.ts'
import { createLateTold } from './late-told.ts'
import type { BlobStore } from './powers/index.ts'
import { createRounds } from './rounds.ts'
import {
  type Child,
  type ChildPlan,
  type ChildWrite,
  describeChildWrite,
  type Hash,
  planChildren,
  writeEntries,
} from './services/deployments/index.ts'
import type { Specifications } from './specifications.ts'
import { createToldViews } from './told-views.ts'

/** What an entry names and what is not held here. */
export interface Missing {
  readonly versions: readonly string[]
  /** Digests of blobs, each with the version that leads to it. */
  readonly blobs: readonly { readonly digest: string; readonly version: string; readonly application: string }[]
}

export interface ZoneDeskOptions {
  readonly scope: ScopePath
  /** The owner of this scope; undefined until this node may write for it. */
  readonly owner: () => Owner | undefined
  readonly policy: () => LanePolicy
  readonly signer: Signer
  readonly powers: AuthorityPowers
  /** Keys under `told/` are used. */
  readonly store: Store
  readonly documents: Documents
  readonly book: Book
  readonly blobs: BlobStore
  readonly specifications: Specifications
  readonly hash: Hash
  readonly children: () => readonly Child[]
  readonly sight: LabelSight
  /** What the lanes of this scope come to, per tenant. */
  readonly effective: () => Promise<ReadonlyMap<string, ReadonlyMap<string, Effective>>>
  /** Decisions that the lanes of this scope name, where others write them too; undefined where this node alone does. @default undefined */
  readonly known?: () => Promise<ReadonlySet<string> | undefined>
  /** Whether what another aggregator of the zone decided is on its way here: nobody is told anything until it is. */
  readonly isCatchingUp: () => boolean
  /** @default all; a proof takes one out */
  readonly guards?: NodeGuards | undefined
  /** Fetches from above; absent where nothing is above. */
  readonly fetch?: (missing: Missing) => Promise<void>
  /** A round that failed, as on a full disk, is tried again after a while. */
  readonly later: (again: () => void) => void
  readonly log: Log
  /** Called after children were told something new, or may be told apart from before. */
  readonly onChange: () => void
}

export interface ZoneDesk {
  /** Tells the children what is wanted now; calls that come while it works are answered by one more round. */
  settle(): Promise<void>
  /** What stands in the intent lane of a child; undefined while it was told nothing. */
  told(child: string, tenant: string): Promise<LaneView | undefined>
  /** Whether a version, or a blob that one leads to, stands in an entry that the child may read. */
  mayHaveVersion(child: string, id: string): boolean
  mayHaveBlob(child: string, digest: string): boolean
  /** Why children were not told everything. */
  waiting(): ChildPlan['waiting']
}

/** Children whose lanes are begun, and written in one synced batch, at a time. */
const childrenAtOnce = 256
/** Of more entries written at once only their number is logged. */
const mostLines = 32

/** The deployment controller of a tower or an aggregator: what is wanted here becomes what is wanted of each child. */
export const createZoneDesk = (options: ZoneDeskOptions): ZoneDesk => {
  const { scope, documents, book, blobs, specifications, log } = options
  /** What stands in the lanes of children, by document: read once, and again after it changed. */
  const views = new Map<string, LaneView>()
  const kept = createToldViews(options.store, documents)
  const lateTold = createLateTold(documents, options.powers.hash)
  /** Views that are not kept on disk yet. */
  const unkept = new Map<string, LaneView>()
  let isLoaded = false
  /** Digests of the blobs a version leads to, once all are held. */
  const closures = new Map<string, readonly string[]>()
  let waiting: ChildPlan['waiting'] = []
  /** Another aggregator of the zone told a child something, or what entries name came: the round that follows says so. */
  let isNews = false

  const laneOf = (child: string, tenant: string): LaneName => ({
    kind: 'intent',
    scope: child as ScopePath,
    tenant,
    owner: scope,
  })

  /** What a version leads to; undefined with what is missing while it is not all here. */
  const closure = async (
    id: string,
    application: string,
  ): Promise<{ digests: readonly string[]; missing: Missing }> => {
    const version = book.version(id)
    if (version === undefined) return { digests: [], missing: { versions: [id], blobs: [] } }
    const known = closures.get(id)
    if (known !== undefined) return { missing: { versions: [], blobs: [] }, digests: known }
    const revision = `sha256:${version.body.revision}`
    const specification = await specifications.read(version.body.revision)
    const archives = (specification?.images ?? []).map(({ archive }) => archive)
    const digests = [revision, ...new Set(archives)]
    const lacking = specification === undefined ? [revision] : archives.filter((one) => blobs.pathOf(one) === undefined)
    if (lacking.length === 0) closures.set(id, digests)
    return {
      digests,
      missing: { versions: [], blobs: [...new Set(lacking)].map((digest) => ({ digest, version: id, application })) },
    }
  }

  const setView = (document: string, view: LaneView): void => {
    views.set(document, view)
    unkept.set(document, view)
  }

  const keepViews = async (): Promise<void> => {
    const some = new Map([...unkept].filter(([document, view]) => views.get(document) === view))
    unkept.clear()
    await kept
      .save(some)
      .catch((error: unknown) => log.info('what children were told is not kept', { error: errorText(error) }))
  }

  const viewOf = async (child: string, tenant: string): Promise<LaneView | undefined> => {
    const document = documents.idOf(laneOf(child, tenant))
    if (document === undefined) return undefined
    const known = views.get(document)
    if (known !== undefined) return known
    const heads = documents.summaryOf(document)?.heads
    const view = await documents.view(document)
    // What came in meanwhile may be in it or not.
    if (view !== undefined && documents.summaryOf(document)?.heads === heads) setView(document, view)
    return view
  }

  /**
   * What stands in a lane after a change that was just signed, without reading the lane again: each value it put is the
   * only one of its key. Not where something else came in between: then the lane is read when it is needed.
   */
  const keepView = (
    documentId: string,
    before: LaneView | undefined,
    edits: ReadonlyMap<string, LaneValue> | undefined,
    envelopes: readonly Envelope[],
  ): void => {
    const [head, ...others] = documents.summaryOf(documentId)?.heads ?? []
    if (before === undefined || edits === undefined || others.length > 0 || head !== envelopes.at(-1)?.hash) return
    const entries = new Map(before.entries)
    for (const [application, text] of edits) {
      const read = parseEntry(String(text), options.powers.hash)
      if (!read.ok) return
      entries.set(application, [read.entry])
    }
    setView(documentId, { ...before, entries })
  }

  /** Versions in the entries a child may read, as far as they were read here. */
  const versionsOf = (child: string): readonly string[] =>
    book
      .tenants()
      .flatMap(({ id }) => views.get(documents.idOf(laneOf(child, id)) ?? '') ?? [])
      .flatMap(({ entries }) => [...entries.values()].flat())
      .flatMap(({ version }) => version ?? [])

  const wantedVersions = (effective: ReadonlyMap<string, Effective>) =>
    [...effective.values()].flatMap((found) =>
      (found.kind === 'entry' ? [found] : found.candidates).flatMap(
        ({ entry: { version }, application = found.application }) =>
          version === null ? [] : [{ version, application }],
      ),
    )

  /** Answers how many lanes were written. */
  const tellSome = async (
    owner: Owner,
    tenant: string,
    some: readonly (readonly [child: string, found: readonly ChildWrite[]])[],
  ): Promise<number> => {
    const written = new Map<string, ReadonlyMap<string, LaneValue>>()
    const begin = async ([child, found]: (typeof some)[number]) => {
      const lane = laneOf(child, tenant)
      const isNew = documents.idOf(lane) === undefined
      const documentId = await documents.create(lane, owner, options.signer)
      if (isNew) views.set(documentId, { lane: formatLaneName(lane), voice: 'intent', entries: new Map() })
      const edit = (draft: Parameters<typeof writeEntries>[0]) => {
        const edits = writeEntries(draft, found, owner.generation)
        written.set(documentId, edits)
        return edits
      }
      return { documentId, edit }
    }
    const writes = await Promise.all(some.map(begin))
    const before = new Map(writes.map(({ documentId }) => [documentId, views.get(documentId)]))
    const results = await documents.write(writes, options.signer)
    let wrote = 0
    for (const [at, result] of results.entries()) {
      const documentId = writes[at]?.documentId ?? ''
      if (result.ok) {
        wrote += 1
        keepView(documentId, before.get(documentId), written.get(documentId), result.envelopes)
      } else if (result.refusal.code !== 'no-change')
        log.warn('a child could not be told', {
          child: some[at]?.[0],
          code: result.refusal.code,
          why: result.refusal.message,
        })
    }
    await keepViews()
    return wrote
  }

  const settleTenant = async (
    owner: Owner,
    tenant: string,
    effective: ReadonlyMap<string, Effective>,
    known: ReadonlySet<string> | undefined,
  ): Promise<{ readonly waiting: ChildPlan['waiting']; readonly missing: Missing; readonly wrote: number }> => {
    const children = options.children()
    const whole = new Map<string, DeploymentVersion>()
    const versions: string[] = []
    const lacking: Missing['blobs'][number][] = []
    for (const { version, application } of wantedVersions(effective)) {
      const { missing } = await closure(version, application)
      versions.push(...missing.versions)
      lacking.push(...missing.blobs)
      const record = book.version(version)
      if (record !== undefined && missing.blobs.length === 0) whole.set(version, record.body)
    }
    const told = new Map<string, LaneView['entries']>()
    const toldLate = new Map<string, ReadonlySet<string>>()
    for (const { scope: child } of children) {
      const view = await viewOf(child, tenant)
      if (view === undefined) continue
      told.set(child, view.entries)
      const late = await lateTold.of(documents.idOf(laneOf(child, tenant)) ?? '')
      if (late.size > 0) toldLate.set(child, late)
    }
    const plan = planChildren({
      effective,
      versions: (id) => whole.get(id),
      children,
      told,
      toldLate,
      seen: ({ scope: child, labels }, version) =>
        options.sight.seen(child.slice(child.lastIndexOf('/') + 1), options.sight.authorOf(version))?.labels ?? labels,
      known,
      hash: options.hash,
      policy: options.policy(),
      guards: options.guards?.children,
    })
    const byChild = [...Map.groupBy(plan.writes, ({ child }) => child)]
    let wrote = 0
    // In parts: ten thousand drafts at once would cost more memory than all else.
    for (let at = 0; at < byChild.length; at += childrenAtOnce)
      wrote += await tellSome(owner, tenant, byChild.slice(at, at + childrenAtOnce))
    if (plan.writes.length <= mostLines) for (const write of plan.writes) log.info(describeChildWrite(write))
    else log.info(`told ${byChild.length} children`, { entries: plan.writes.length })
    return { waiting: plan.waiting, missing: { versions, blobs: lacking }, wrote }
  }

  /** What was told before this node started leads to blobs too. */
  const closeTold = async (): Promise<void> => {
    for (const { scope: child } of options.children())
      for (const { id: tenant } of book.tenants())
        for (const [application, standing] of (await viewOf(child, tenant))?.entries ?? [])
          for (const { version } of standing) if (version !== null) await closure(version, application)
  }

  let fetching = false
  const fetch = async (missing: Missing): Promise<void> => {
    if (fetching || options.fetch === undefined || missing.versions.length + missing.blobs.length === 0) return
    fetching = true
    try {
      await options.fetch(missing)
    } catch (error) {
      log.info('what an entry names could not be fetched', { error: errorText(error) })
    }
    fetching = false
    // What was fetched may lead to more; what did not come, as the parent has it not yet, is asked for again after a while.
    const isAnyHere =
      missing.versions.some((id) => book.version(id) !== undefined) ||
      missing.blobs.some(({ digest }) => blobs.pathOf(digest) !== undefined)
    isNews ||= isAnyHere
    if (isAnyHere) void settle()
    else options.later(() => void settle())
  }

  const round = async (): Promise<void> => {
    const owner = options.owner()
    if (owner === undefined || options.isCatchingUp()) return
    if (!isLoaded) for (const [document, view] of await kept.load()) views.set(document, view)
    isLoaded = true
    const missing: { versions: string[]; blobs: Missing['blobs'][number][] } = { versions: [], blobs: [] }
    const waits: ChildPlan['waiting'][number][] = []
    let wrote = 0
    // First: what comes in meanwhile may be in what they come to, and is not taken for known then.
    const known = await options.known?.()
    for (const [tenant, effective] of await options.effective()) {
      const settled = await settleTenant(owner, tenant, effective, known)
      wrote += settled.wrote
      waits.push(...settled.waiting)
      missing.versions.push(...settled.missing.versions)
      missing.blobs.push(...settled.missing.blobs)
    }
    waiting = waits
    await closeTold()
    await keepViews()
    if (wrote > 0 || isNews) {
      isNews = false
      options.onChange()
    }
    if (wrote > 0) {
      // One change holds so many entries: what did not fit is written in the next round, the last of which writes nothing.
      void settle()
    }
    void fetch(missing)
  }
  const settle = createRounds(() =>
    round().catch((error: unknown) => {
      log.error('children could not be told', { error: errorText(error) })
      options.later(() => void settle())
    }),
  )

  documents.onChange(({ documentId, isSeal, from }) => {
    const lane = from === undefined ? undefined : documents.epochOf(documentId)?.lane
    if (lane?.kind === 'intent' && lane.owner === scope) isNews = true
    const view = isSeal ? views.get(documentId) : undefined
    // A seal changes the heads that it is kept under, and nothing that stands.
    if (view === undefined) views.delete(documentId)
    else unkept.set(documentId, view)
  })

  return {
    settle,
    told: viewOf,
    mayHaveVersion: (child, id) => versionsOf(child).includes(id),
    mayHaveBlob: (child, digest) => versionsOf(child).some((id) => closures.get(id)?.includes(digest) ?? false),
    waiting: () => waiting,
  }
}
