import { errorText, type Log, type ScopePath } from '../base/index.ts'
import type { Book, DeploymentVersion, Documents, Effective, LaneName, LaneView, Owner, Signer } from '../crdt/index.ts'
import type { BlobStore } from './powers/index.ts'
import { createRounds } from './rounds.ts'
import {
  type Child,
  type ChildPlan,
  describeChildWrite,
  type Hash,
  planChildren,
  writeEntries,
} from './services/deployments/index.ts'
import type { Specifications } from './specifications.ts'

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
  readonly signer: Signer
  readonly documents: Documents
  readonly book: Book
  readonly blobs: BlobStore
  readonly specifications: Specifications
  readonly hash: Hash
  readonly children: () => readonly Child[]
  /** What the lanes of this scope come to, per tenant. */
  readonly effective: () => Promise<ReadonlyMap<string, ReadonlyMap<string, Effective>>>
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

/** The deployment controller of a tower or an aggregator: what is wanted here becomes what is wanted of each child. */
export const createZoneDesk = (options: ZoneDeskOptions): ZoneDesk => {
  const { scope, documents, book, blobs, specifications, log } = options
  /** What stands in the lanes of children, by document: read once, and again after it changed. */
  const views = new Map<string, LaneView>()
  /** Digests of the blobs a version leads to, once all are held. */
  const closures = new Map<string, readonly string[]>()
  let waiting: ChildPlan['waiting'] = []

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

  const viewOf = async (child: string, tenant: string): Promise<LaneView | undefined> => {
    const document = documents.idOf(laneOf(child, tenant))
    if (document === undefined) return undefined
    const known = views.get(document)
    if (known !== undefined) return known
    const view = await documents.view(document)
    if (view !== undefined) views.set(document, view)
    return view
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
      (found.kind === 'entry' ? [found.entry] : found.candidates.map(({ entry }) => entry)).flatMap(({ version }) =>
        version === null ? [] : [{ version, application: found.application }],
      ),
    )

  const settleTenant = async (
    owner: Owner,
    tenant: string,
    effective: ReadonlyMap<string, Effective>,
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
    for (const { scope: child } of children) {
      const view = await viewOf(child, tenant)
      if (view !== undefined) told.set(child, view.entries)
    }
    const plan = planChildren({
      effective,
      versions: (id) => whole.get(id),
      children,
      told,
      hash: options.hash,
    })
    const byChild = [...Map.groupBy(plan.writes, ({ child }) => child)]
    for (const [child] of byChild) await documents.create(laneOf(child, tenant), owner, options.signer)
    const writes = byChild.map(([child, found]) => ({
      documentId: documents.idOf(laneOf(child, tenant)) ?? '',
      edit: (draft: Parameters<typeof writeEntries>[0]) => writeEntries(draft, found, owner.generation),
    }))
    if (writes.length > 0) {
      const results = await documents.write(writes, options.signer)
      for (const [at, result] of results.entries())
        if (!result.ok && result.refusal.code !== 'no-change')
          log.warn('a child could not be told', {
            child: byChild[at]?.[0],
            code: result.refusal.code,
            why: result.refusal.message,
          })
      for (const write of plan.writes) log.info(describeChildWrite(write))
    }
    return { waiting: plan.waiting, missing: { versions, blobs: lacking }, wrote: writes.length }
  }

  /** What was told before this node started leads to blobs too. */
  const closeTold = async (): Promise<void> => {
    for (const { scope: child } of options.children())
      for (const { id: tenant } of book.tenants())
        for (const [application, standing] of (await viewOf(child, tenant))?.entries ?? [])
          for (const { version } of standing) if (version !== null) await closure(version, application)
  }

  let fetching = false
  const fetch = (missing: Missing): void => {
    if (fetching || options.fetch === undefined || missing.versions.length + missing.blobs.length === 0) return
    fetching = true
    options
      .fetch(missing)
      .then(
        () => true,
        (error: unknown) => {
          log.info('what an entry names could not be fetched', { error: errorText(error) })
          return false
        },
      )
      .then((fetched) => {
        fetching = false
        // What was fetched may lead to more.
        if (fetched) void settle()
      })
  }

  const round = async (): Promise<void> => {
    const owner = options.owner()
    if (owner === undefined) return
    const missing: { versions: string[]; blobs: Missing['blobs'][number][] } = { versions: [], blobs: [] }
    const waits: ChildPlan['waiting'][number][] = []
    let wrote = 0
    for (const [tenant, effective] of await options.effective()) {
      const settled = await settleTenant(owner, tenant, effective)
      wrote += settled.wrote
      waits.push(...settled.waiting)
      missing.versions.push(...settled.missing.versions)
      missing.blobs.push(...settled.missing.blobs)
    }
    waiting = waits
    await closeTold()
    if (wrote > 0) options.onChange()
    fetch(missing)
  }
  const settle = createRounds(() =>
    round().catch((error: unknown) => {
      log.error('children could not be told', { error: errorText(error) })
      options.later(() => void settle())
    }),
  )

  documents.onChange(({ documentId }) => views.delete(documentId))

  return {
    settle,
    told: viewOf,
    mayHaveVersion: (child, id) => versionsOf(child).includes(id),
    mayHaveBlob: (child, digest) => versionsOf(child).some((id) => closures.get(id)?.includes(digest) ?? false),
    waiting: () => waiting,
  }
}
