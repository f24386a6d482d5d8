import { errorText, type Log, type ScopePath } from '../base/index.ts'
import {
  type AcceptedVersions,
  type AuthorityPowers,
  type Book,
  blockedAt,
  type Candidate,
  type Documents,
  defaultLanePolicy,
  effective,
  type LaneName,
  parseLaneName,
  type ReadEntry,
  runs,
} from '../crdt/index.ts'
import { parentOf } from '../topologies/index.ts'
import type { BlobReference } from './blobs.ts'
import { createEntryAuthors } from './entry-authors.ts'
import { isOut, type NodeGuards } from './guards.ts'
import type { StateFile } from './powers/index.ts'
import { createRounds } from './rounds.ts'
import { createScopeLanes } from './scope-lanes.ts'
import {
  intentOrderOf,
  judgeStarts,
  type MissingPiece,
  placeOfMember,
  type SiteIntent,
  type Specification,
  type StartCandidate,
  type StartRefusal,
  siteIntentOf,
} from './services/deployments/index.ts'
import type { Specifications } from './specifications.ts'

/** What a site keeps of its own choices, so that a conflict is chosen alike after a restart and nobody goes back. */
export interface KeptChoices {
  readonly entries: Readonly<Record<string, ReadEntry>>
  readonly accepted: Readonly<Record<string, { readonly order: number; readonly id: string }>>
}

/** What entries name and what is not here: signed versions, and specifications with the application that needs each. */
export interface Wanted {
  readonly versions: readonly string[]
  readonly specifications: readonly { readonly revision: string; readonly application: string }[]
}

export interface SiteDeskOptions {
  /** Of the site. */
  readonly scope: ScopePath
  readonly documents: Documents
  readonly book: Book
  readonly specifications: Specifications
  readonly powers: AuthorityPowers
  readonly file: StateFile<KeptChoices>
  /** Name of the one tenant. */
  readonly tenant: string
  readonly accepted: () => SiteIntent | undefined
  /** Takes what the site is to do; on disk when it returns. @throws {SkerryError} `disk-full`, `write-failed` */
  readonly accept: (intent: SiteIntent) => void
  /** Fetches from the parent. Images are not among what is asked for: the host fetches those it needs. */
  readonly fetch: (wanted: Wanted) => Promise<void>
  /** @default all; a proof takes one out */
  readonly guards?: NodeGuards | undefined
  /** Waits a moment before each round, as what a deployment brings comes in several messages; false where the node stops. */
  readonly gather: () => Promise<boolean>
  /** A write that failed is tried again after a while. */
  readonly later: (again: () => void) => void
  readonly log: Log
  readonly onChange: () => void
}

export interface SiteDesk {
  /** Works out what the site is to do from what is held now. */
  settle(): Promise<void>
  refusals(): readonly StartRefusal[]
  /** Whether it works out what the site is to do, or what entries name is on its way. */
  isBusy(): boolean
  /** Why a parent gives this host an archive; undefined for one that no accepted application names. */
  referenceOf(archive: string): BlobReference | undefined
}

const intentLane = (scope: ScopePath, tenant: string, owner: ScopePath): LaneName => ({
  kind: 'intent',
  scope,
  tenant,
  owner,
})

/** An edge between its documents and its containers: what its lanes come to, what of that it may start. */
export const createSiteDesk = (options: SiteDeskOptions): SiteDesk => {
  const { scope, documents, book, specifications, file, log } = options
  const owner = parentOf(scope) ?? ('/' as ScopePath)
  const lanes = createScopeLanes({ scope, documents, book, policy: () => defaultLanePolicy, hash: options.powers.hash })
  const authors = createEntryAuthors(documents)
  let kept: KeptChoices = file.load() ?? { entries: {}, accepted: {} }
  let refused: readonly StartRefusal[] = []
  let settling = 0
  /** Somebody is to hear of what the last rounds came to. */
  let isChanged = false

  /** What people call an application whose new specification is not here. */
  const acceptedName = (application: string): string | undefined =>
    options.accepted()?.applications.find(({ origin }) => origin?.application === application)?.application

  const candidateOf = async (
    application: string,
    entry: ReadEntry,
    candidates: readonly Pick<Candidate, 'lane' | 'entry'>[],
    tenant: string,
  ): Promise<StartCandidate | undefined> => {
    const found = candidates.find((one) => one.entry.hash === entry.hash)
    // Not a candidate any more: what ran before stays, and was judged when it came.
    if (found === undefined) return undefined
    const lane = parseLaneName(found.lane)
    const author = await authors.of(lane, application, entry)
    // Another entry took its place while this one was looked at: the round that follows judges that one.
    if (author === undefined) return undefined
    const version = entry.version === null ? undefined : book.version(entry.version)
    const revision = version?.body.revision
    const specification = revision === undefined ? undefined : await specifications.read(revision)
    return {
      application,
      name: specification?.application.name ?? acceptedName(application),
      entry,
      when: {
        lane,
        author,
        owner: book.ownerAt(lane.kind === 'intent' ? lane.owner : scope, lane.kind === 'intent' ? 'zone' : 'site'),
      },
      version,
      tenant: book.owner(tenant),
      delegations: book.delegationsOf(tenant),
    }
  }

  /** What the lanes come to now, each with what its chain needs. */
  const candidates = async (): Promise<readonly StartCandidate[]> => {
    const found: StartCandidate[] = []
    for (const { id: tenant } of book.tenants())
      for (const [application, state] of effective(await lanes.views(tenant), defaultLanePolicy)) {
        const entry = runs(kept.entries[application], state, defaultLanePolicy)
        const standing = state.kind === 'entry' ? [state] : state.candidates
        const candidate = entry && (await candidateOf(application, entry, standing, tenant))
        if (candidate !== undefined) found.push(candidate)
      }
    return found
  }

  const specificationsOf = async (entries: Iterable<ReadEntry>) => {
    const held = new Map<string, Specification>()
    for (const { version } of entries) {
      const revision = version === null ? undefined : book.version(version)?.body.revision
      const read = revision === undefined ? undefined : await specifications.read(revision)
      if (revision !== undefined && read !== undefined) held.set(revision, read)
    }
    return held
  }

  /**
   * A proof of two changes with one number, or a seal that left something out, takes fences back that were accepted; what
   * then stands counts. A disk that lost changes does so too: what it has left is older than what was accepted.
   */
  const orderNow = (): number => {
    const ids = book.tenants().flatMap(({ id }) => documents.idOf(intentLane(scope, id, owner)) ?? [])
    const isWhole = ids.length > 0 && ids.every(documents.isWhole)
    const orders = ids.flatMap((id) => documents.summaryOf(id)?.fence ?? []).map(intentOrderOf)
    return Math.max(isWhole ? (options.accepted()?.order ?? 0) : 0, ...orders)
  }

  const isAnyHere = async ({ versions, specifications: wanted }: Wanted): Promise<boolean> => {
    for (const { revision } of wanted) if ((await specifications.read(revision)) !== undefined) return true
    return versions.some((id) => book.version(id) !== undefined)
  }

  let fetching = false
  const fetch = async (missing: readonly MissingPiece[], entries: ReadonlyMap<string, ReadEntry>): Promise<void> => {
    const needs = (revision: string) =>
      [...entries].flatMap(([application, { version }]) =>
        version !== null && book.version(version)?.body.revision === revision ? [{ revision, application }] : [],
      )
    const wanted: Wanted = {
      versions: missing.flatMap((piece) => ('version' in piece ? [piece.version] : [])),
      specifications: missing.flatMap((piece) =>
        'revision' in piece && !('archive' in piece) ? needs(piece.revision).slice(0, 1) : [],
      ),
    }
    if (fetching || wanted.versions.length + wanted.specifications.length === 0) return
    fetching = true
    try {
      await options.fetch(wanted)
    } catch (error) {
      log.info('what the site is to do could not be fetched whole', { error: errorText(error) })
    }
    fetching = false
    // What was fetched may lead to more; what did not come, as the parent has it not yet, is asked for again after a while.
    if (await isAnyHere(wanted).catch(() => false)) void settle()
    else options.later(() => void settle())
  }

  const round = async (): Promise<void> => {
    const trust = book.trust()
    const member = documents.idOf({ kind: 'member', scope })
    const place = member === undefined ? undefined : placeOfMember(await documents.standing(member), scope)
    if (trust === undefined || place === undefined) return
    const order = orderNow()
    const before = options.accepted()
    const accepted: AcceptedVersions = new Map(Object.entries(kept.accepted))
    const blocked = blockedAt(trust, scope)
    const context = { networkId: trust.root.networkId, site: scope, blocked, accepted, guards: options.guards?.starts }
    const judged = judgeStarts(await candidates(), context, options.powers)
    const held = await specificationsOf(judged.entries.values())
    const answer = siteIntentOf({
      place,
      entries: judged.entries,
      versions: (id) => book.version(id)?.body,
      specifications: (revision) => held.get(revision),
      tenant: options.tenant,
      order,
      last: options.accepted(),
      guards: options.guards?.site,
    })
    const next: KeptChoices = {
      // What is not here yet was not accepted: in a conflict it must not count as what ran last.
      entries: {
        ...kept.entries,
        ...Object.fromEntries(
          [...judged.entries].filter(([, { version }]) => version === null || book.version(version) !== undefined),
        ),
      },
      accepted: Object.fromEntries(judged.accepted),
    }
    // Before anything of it starts: a lower order of the same signer is refused for ever after.
    const isNew = JSON.stringify(next) !== JSON.stringify(kept) || isOut(options.guards, 'desks', 'only-new')
    if (isNew && !isOut(options.guards, 'desks', 'kept')) file.save(next)
    kept = next
    // What is missing is asked for also where the disk has no room for what is here already.
    void fetch(answer.missing, judged.entries)
    options.accept(answer.intent)
    const all = [...judged.refusals, ...answer.refusals]
    for (const one of all.filter((now) => !refused.some((before) => before.version === now.version)))
      log.warn('refused to start what the parent wants', {
        application: one.application,
        code: one.code,
        why: one.message,
      })
    if (options.accepted() !== before || JSON.stringify(all) !== JSON.stringify(refused)) isChanged = true
    refused = all
  }

  const rounds = createRounds(
    () =>
      round().catch((error: unknown) => {
        log.error('what the site is to do could not be worked out', { error: errorText(error) })
        options.later(() => void settle())
      }),
    options.gather,
  )
  const settle = async (): Promise<void> => {
    settling += 1
    await rounds()
    settling -= 1
    // Only now: who hears of it asks whether more is about to change.
    if (settling > 0 || !isChanged) return
    isChanged = false
    options.onChange()
  }

  return {
    settle,
    refusals: () => refused,
    isBusy: () => fetching || settling > 0,
    referenceOf: (archive) => {
      const intended = options
        .accepted()
        ?.applications.find((one) => one.phase === 'run' && one.images.some((image) => image.archive === archive))
      const application = intended?.origin?.application
      if (application === undefined) return undefined
      for (const { id: tenant } of book.tenants()) {
        const document = documents.idOf(intentLane(scope, tenant, owner))
        if (document !== undefined) return { tenant, document, application }
      }
      return undefined
    },
  }
}
