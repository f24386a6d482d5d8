import type { DesiredImage } from '../../../runtime/index.ts'
import type { ApplicationRevision, IntentEntry, StoredApplication, StoredDeployment } from './config-store.ts'
import { byName, placementMatches, type SitePlace } from './placement.ts'
import type { ApplicationSpec } from './specification.ts'

/** The signed records that what a site is to do rests on. */
export interface IntentOrigin {
  /** Ids for life. */
  readonly application: string
  readonly deployment: string
  readonly decision: string
  /** The record of the deployment version that was told last; of a retired application the one before. */
  readonly version: string
  /** Id of the key that signed it. */
  readonly signer: string
  /** Counts the signer's versions of the deployment. */
  readonly order: number
}

interface IntendedHead {
  readonly tenant: string
  readonly application: string
  /** Empty where the application has none. */
  readonly version: string
  readonly revision: string
  readonly deployment: string
  /** There when it comes from signed records. */
  readonly origin?: IntentOrigin
}

/** What a site is to do for one application. Absent never means stop: only `retired` does. */
export type IntendedApplication =
  | (IntendedHead & {
      readonly phase: 'run'
      readonly spec: ApplicationSpec
      readonly images: readonly DesiredImage[]
    })
  | (IntendedHead & { readonly phase: 'retired' })

/** All a site needs from its parent: plain data that survives JSON. */
export interface SiteIntent {
  readonly site: string
  /** Rises with every change of what this site is to do. */
  readonly order: number
  /** The site's hosts and labels, so that each host computes its share by itself. */
  readonly place: SitePlace
  readonly applications: readonly IntendedApplication[]
}

/** The revision a deployment asks for, or undefined when the application does not hold it. */
export const deployedRevision = <Revision extends Pick<ApplicationRevision, 'version'> = ApplicationRevision>(
  deployment: Pick<StoredDeployment, 'spec'>,
  application: { readonly revisions: readonly Revision[] } | undefined,
): Revision | undefined => {
  const wanted = deployment.spec['application-version']
  return wanted === '*'
    ? application?.revisions.at(-1)
    : application?.revisions.find(({ version }) => version === wanted)
}

export interface IntentQuestion {
  readonly applications: readonly StoredApplication[]
  readonly deployments: readonly StoredDeployment[]
  readonly places: readonly SitePlace[]
  /** What sites were told last. */
  readonly entries: readonly IntentEntry[]
}

const keyOf = ({ site, application }: IntentEntry) => `${site}\0${application}`

const sameEntry = (a: IntentEntry, b: IntentEntry) =>
  a.phase === b.phase && a.deployment === b.deployment && a.revision === b.revision && a.version === b.version

/**
 * The entries to write so that every site is told what the deployments say: `run` where a placement matches,
 * `retired` where an application was told before and is no longer wanted. A deployment whose version is not held
 * changes nothing: what was told stays.
 */
export const planIntents = ({ applications, deployments, places, entries }: IntentQuestion): readonly IntentEntry[] => {
  const told = new Map(entries.map((entry) => [keyOf(entry), entry]))
  const undecided = new Set<string>()
  const wanted = new Map<string, IntentEntry>()
  for (const deployment of deployments) {
    const application = deployment.spec.application
    const revision = deployedRevision(
      deployment,
      applications.find(({ name }) => name === application),
    )
    if (!revision) undecided.add(application)
    else
      for (const place of places.filter((candidate) => placementMatches(deployment.spec.placement, candidate))) {
        const { version } = revision
        const entry = {
          site: place.site,
          application,
          deployment: deployment.spec.name,
          version,
          revision: revision.revision,
          phase: 'run' as const,
        }
        wanted.set(keyOf(entry), entry)
      }
  }
  const run = [...wanted.values()].filter((entry) => {
    const before = told.get(keyOf(entry))
    return !before || !sameEntry(before, entry)
  })
  const retired = entries
    .filter((entry) => entry.phase === 'run' && !wanted.has(keyOf(entry)) && !undecided.has(entry.application))
    .map((entry) => ({ ...entry, phase: 'retired' as const }))
  return [...run, ...retired].toSorted((a, b) => byName(keyOf(a), keyOf(b)))
}
