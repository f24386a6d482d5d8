import type { SiteIntent } from './services/deployments/index.ts'

/** Images by name, per application, of the revision before the one it has now: what a rollback needs while cut off. */
export type PreviousImages = Readonly<Record<string, readonly string[]>>

const imagesOf = (
  intent: SiteIntent | undefined,
): ReadonlyMap<string, { revision: string; names: readonly string[] }> =>
  new Map(
    (intent?.applications ?? []).flatMap((one) =>
      one.phase === 'run'
        ? [[one.application, { revision: one.revision, names: one.images.map(({ name }) => name) }]]
        : [],
    ),
  )

/**
 * What is kept for rollbacks once `next` replaces `before`. An application that is wanted no more keeps what it had,
 * until it is forgotten altogether.
 */
export const rememberPrevious = (
  kept: PreviousImages,
  before: SiteIntent | undefined,
  next: SiteIntent,
): PreviousImages => {
  const [old, now] = [imagesOf(before), imagesOf(next)]
  const named = new Set(next.applications.map(({ application }) => application))
  const entries = [...named].toSorted().map((application): [string, readonly string[]] => {
    const was = old.get(application)
    const changed = was !== undefined && was.revision !== now.get(application)?.revision
    return [application, changed ? was.names : (kept[application] ?? [])]
  })
  return Object.fromEntries(entries.filter(([, names]) => names.length > 0))
}

/** Images that no wanted application and no rollback needs, sorted. Before the first intent nothing is known to be spare. */
export const spareImages = (
  held: readonly string[],
  intent: SiteIntent | undefined,
  previous: PreviousImages,
): readonly string[] => {
  if (!intent) return []
  const needed = new Set(
    [...imagesOf(intent).values()].flatMap(({ names }) => names).concat(...Object.values(previous)),
  )
  return held.filter((name) => !needed.has(name)).toSorted()
}
