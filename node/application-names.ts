import type { Book, LaneView, NameOf } from '../crdt/index.ts'
import type { HostReport } from './services/deployments/index.ts'
import type { Specifications } from './specifications.ts'

/** More than a busy zone has applications. */
const keptNames = 1024

export interface ApplicationNamesOptions {
  readonly book: Book
  readonly specifications: Specifications
  /** Hosts that say what they run: they tell the name where the specification is not here. @default none */
  readonly reports?: () => readonly HostReport[]
}

/**
 * What applications in these lanes are called; undefined where no scope has a word of its own in them: then two of one
 * name cannot be, and nothing is read.
 * @param revisionOf of a version whose record is not here
 */
export type ApplicationNames = (
  lanes: readonly LaneView[],
  revisionOf?: (version: string) => string | undefined,
) => Promise<NameOf | undefined>

export const createApplicationNames = ({
  book,
  specifications,
  reports,
}: ApplicationNamesOptions): ApplicationNames => {
  /** By revision, which never says anything else. */
  const known = new Map<string, string>()

  const saidByHosts = (revision: string): string | undefined =>
    reports?.()
      .flatMap(({ status }) => status?.applications ?? [])
      .find((one) => one.revision === revision)?.application

  const nameOfRevision = async (revision: string): Promise<string | undefined> => {
    const before = known.get(revision)
    if (before !== undefined) return before
    const name = (await specifications.read(revision))?.application.name
    const oldest = known.size >= keptNames ? known.keys().next().value : undefined
    if (oldest !== undefined) known.delete(oldest)
    if (name !== undefined) known.set(revision, name)
    return name ?? saidByHosts(revision)
  }

  return async (lanes, revisionOf) => {
    if (!lanes.some(({ voice, entries }) => voice === 'local' && entries.size > 0)) return undefined
    const names = new Map<string, string>()
    for (const { entries } of lanes)
      for (const [application, standing] of entries)
        for (const { version } of standing) {
          if (version === null) continue
          const held = book.version(version)?.body
          const revision = held?.application === application ? held.revision : held ? undefined : revisionOf?.(version)
          const name = revision === undefined ? undefined : await nameOfRevision(revision)
          if (name !== undefined) names.set(`${application} ${version}`, name)
        }
    return (application, version) => names.get(`${application} ${version}`)
  }
}
