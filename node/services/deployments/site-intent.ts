import type { DeploymentVersion, Fence, ReadEntry } from '../../../crdt/index.ts'
import type { IntendedApplication, SiteIntent } from './intent.ts'
import { byName, type SitePlace } from './placement.ts'
import type { StartRefusal } from './report.ts'
import type { Specification } from './specification-blob.ts'

/** One thing that is named and not here yet: a signed version, a specification, or an archive of an image. */
export type MissingPiece =
  | { readonly version: string }
  | { readonly revision: string }
  | { readonly archive: string; readonly revision: string }

/** What keeps an application of a site as it was. Proofs leave one out to see what it stops. */
export const siteGuards = ['absent-stays'] as const
export type SiteGuard = (typeof siteGuards)[number]

export interface SiteIntentQuestion {
  /** `placeOfMember` of the site's member lane. */
  readonly place: SitePlace
  /** By application id what the site is to run now: what its lanes come to, without what it refused. */
  readonly entries: ReadonlyMap<string, ReadEntry>
  readonly versions: (id: string) => DeploymentVersion | undefined
  readonly specifications: (revision: string) => Specification | undefined
  /** @default all are */
  readonly isArchiveHeld?: (archive: string) => boolean
  /** Name of the tenant. */
  readonly tenant: string
  /** `intentOrderOf` the site's intent lane. */
  readonly order: number
  /** What was accepted last, by an edge, or worked out last, by its aggregator. */
  readonly last?: SiteIntent | undefined
  /** @default all; a proof takes one out */
  readonly guards?: ReadonlySet<SiteGuard> | undefined
}

export interface SiteIntentAnswer {
  readonly intent: SiteIntent
  /** What to ask a parent for, each once. */
  readonly missing: readonly MissingPiece[]
  /** Applications left out for another of the same name. */
  readonly refusals: readonly StartRefusal[]
}

const countsPerGeneration = 2 ** 32
/** So that the product stays a whole number that JSON and the arithmetic of a browser carry. */
const highestGeneration = 2 ** 20

/** A fence as one number that orders alike. Beyond 2^20 generations or 2^32 writes of one it rises no more. */
export const intentOrderOf = ({ generation, n }: Fence): number =>
  Math.min(generation, highestGeneration) * countsPerGeneration + Math.min(n, countsPerGeneration - 1)

interface One {
  readonly intended?: IntendedApplication
  readonly missing: readonly MissingPiece[]
}

/** What stays: a site that runs an application is never told less because something is not here. */
const staying = (before: IntendedApplication | undefined, missing: readonly MissingPiece[] = []): One => ({
  ...(before && { intended: before }),
  missing,
})

/** Decisions to run what is not all here, and those they replaced. */
const absentOf = ({ entries, versions, specifications }: SiteIntentQuestion): ReadonlySet<string> =>
  new Set(
    [...entries].flatMap(([id, { decision, version, seen }]) => {
      const held = version === null ? undefined : versions(version)
      const isHere = held !== undefined && (held.application !== id || specifications(held.revision) !== undefined)
      return version === null || isHere ? [] : [decision, ...seen]
    }),
  )

const retiredOne = (entry: ReadEntry, before: IntendedApplication | undefined, absent: ReadonlySet<string>): One => {
  // What never ran here has nothing to stop, and no name.
  if (before === undefined) return { missing: [] }
  // It gives way to another of its name by the same decision, or one before: when that one can take its place.
  if (absent.has(entry.decision)) return staying(before)
  const { tenant, application, version, revision, deployment, origin } = before
  const since = origin && { origin: { ...origin, decision: entry.decision } }
  return { intended: { tenant, application, version, revision, deployment, ...since, phase: 'retired' }, missing: [] }
}

const runningOne = (
  id: string,
  record: string,
  entry: ReadEntry,
  before: IntendedApplication | undefined,
  { versions, specifications, isArchiveHeld = () => true, tenant }: SiteIntentQuestion,
): One => {
  const version = versions(record)
  if (version === undefined) return staying(before, [{ version: record }])
  // Nothing the parent sends can mend this: `judgeStarts` refuses it in words.
  if (version.application !== id) return staying(before)
  const { revision } = version
  const specification = specifications(revision)
  if (specification === undefined) return staying(before, [{ revision }])
  const { application: spec, images } = specification
  const origin = {
    application: id,
    deployment: version.deployment,
    decision: entry.decision,
    version: record,
    signer: version.signer,
    order: version.order,
  }
  const head = { tenant, application: spec.name, version: spec.version ?? '', revision, deployment: version.name }
  const absent = images.map(({ archive }) => archive).filter((archive) => !isArchiveHeld(archive))
  return {
    intended: { ...head, origin, phase: 'run', spec, images },
    missing: absent.map((archive) => ({ archive, revision })),
  }
}

/** Names are labels: of two applications of one name the one that runs counts, then the one that was there, then the id. */
const onePerName = (all: readonly IntendedApplication[], last: SiteIntent | undefined) => {
  const known = new Set(last?.applications.flatMap(({ origin }) => origin?.application ?? []))
  const idOf = ({ origin }: IntendedApplication) => origin?.application ?? ''
  const rank = (one: IntendedApplication) =>
    (one.phase === 'retired' ? 4 : 0) + (one.origin === undefined ? 2 : 0) + (known.has(idOf(one)) ? 0 : 1)
  const preferred = all.toSorted((a, b) => rank(a) - rank(b) || byName(idOf(a), idOf(b)))
  const isFirst = (one: IntendedApplication, at: number) =>
    preferred.findIndex(({ application }) => application === one.application) === at
  return { kept: preferred.filter(isFirst), others: preferred.filter((one, at) => !isFirst(one, at)) }
}

const keyOf = (piece: MissingPiece) =>
  'archive' in piece ? `archive ${piece.archive}` : 'revision' in piece ? `revision ${piece.revision}` : piece.version

/**
 * What a site is to do, from its lanes. Its edges and its aggregator work it out alike. An application whose records are
 * not here, and one that no lane names, stays as it was: absent never means stop. Images may be missing: a host starts
 * what it can, and says what it waits for.
 */
export const siteIntentOf = (question: SiteIntentQuestion): SiteIntentAnswer => {
  const { place, entries, order, last, guards } = question
  const before = new Map(last?.applications.map((one) => [one.origin?.application ?? one.application, one]))
  const ids = [...new Set([...entries.keys(), ...before.keys()])].toSorted(byName)
  const absent = absentOf(question)
  const found = ids.map((id): One => {
    const entry = entries.get(id)
    if (entry === undefined) return staying((guards?.has('absent-stays') ?? true) ? before.get(id) : undefined)
    return entry.version === null
      ? retiredOne(entry, before.get(id), absent)
      : runningOne(id, entry.version, entry, before.get(id), question)
  })
  const { kept, others } = onePerName(
    found.flatMap(({ intended }) => intended ?? []),
    last,
  )
  const applications = kept.toSorted((a, b) => byName(a.application, b.application))
  const refusals = others
    .filter(({ phase, origin }) => phase === 'run' && origin !== undefined)
    .map(({ application, origin }) => ({
      application,
      code: 'name-taken',
      message: `another application of the name ${application} is here already`,
      ...(origin && { version: origin.version }),
    }))
  const missing = new Map(found.flatMap((one) => one.missing.map((piece) => [keyOf(piece), piece] as const)))
  return { intent: { site: place.site, order, place, applications }, missing: [...missing.values()], refusals }
}
