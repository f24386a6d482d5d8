import type { Clock } from '../../../base/index.ts'
import type { DesiredImage } from '../../../runtime/index.ts'
import { missing, rollbackVersion } from './admit.ts'
import {
  ConfigError,
  type ConfigStore,
  type PutOptions,
  type PutOutcome,
  type StoredApplication,
  type StoredDeployment,
} from './config-store.ts'
import type { DeploymentSpec } from './deployment-specification.ts'
import { deployedRevision, type IntendedApplication, planIntents, type SiteIntent } from './intent.ts'
import { oneAtATime } from './one-at-a-time.ts'
import type { ConfigDocument } from './parse-documents.ts'
import type { SitePlace } from './placement.ts'
import { type ReportsNow, sitesDone } from './report.ts'
import { type Hash, imageNames, revisionOf } from './revision.ts'
import type { ApplicationSpec } from './specification.ts'

/** The images this node holds and can hand to sites. */
export interface ImageCatalogue {
  /** Digest and archive of an image by the name a specification uses. */
  resolve(name: string): { readonly digest: string; readonly archive: string } | undefined
  names(): readonly string[]
}

export interface DeploymentsOptions {
  readonly store: ConfigStore
  /** The sites of the topology as it is now. */
  readonly places: () => readonly SitePlace[]
  readonly images: ImageCatalogue
  readonly hash: Hash
  readonly clock: Pick<Clock, 'wallMs'>
  readonly tenant: string
  /** The tenant's salt of revision hashes; secret from other tenants. */
  readonly salt: string
  /**
   * The order number of the newest intent of a site, where others write it.
   * @default as the store counts what sites were told
   */
  readonly intentOrder?: (site: string) => number
}

/** What a change came to; `notes` are for the person who made it. */
export interface ApplyOutcome {
  readonly kind: ConfigDocument['kind']
  readonly name: string
  readonly outcome: 'created' | 'changed' | 'unchanged'
  /** Goes back as `ifOrder`. */
  readonly order: number
  readonly notes: readonly string[]
}

export interface RollbackOutcome {
  readonly deployment: string
  readonly application: string
  readonly from: string
  readonly to: string
  readonly order: number
}

export interface Deployments {
  /** @throws {ConfigError} as the store and, for an application, `image-not-held`. */
  apply(document: ConfigDocument, options?: PutOptions): Promise<ApplyOutcome>
  /** Retires its application at every site; the sites keep a retired entry until they report it gone. */
  removeDeployment(name: string, options?: PutOptions): Promise<void>
  removeApplication(name: string, options?: PutOptions): Promise<void>
  /**
   * A new change of the deployment that names an older version; it follows `*` no more.
   * @throws {ConfigError} `not-found`, `no-previous-version`, `version-unknown`.
   */
  rollback(deployment: string, toVersion?: string): Promise<RollbackOutcome>
  /** What a site is to do; undefined when the topology has no such site. */
  intentFor(site: string): Promise<SiteIntent | undefined>
  /** Brings what sites are told in line with what is held: after a start, or when the topology changed. */
  settle(): Promise<void>
  /** Forgets retired entries of sites that have nothing left of them. */
  noteReports(reports: ReportsNow): Promise<void>
  /** Calls `notify` with the sites whose intent changed. Returns how to stop it. */
  onChange(notify: (sites: readonly string[]) => void): () => void
}

/** @throws {ConfigError} `image-not-held` for the first image that the catalogue does not know. */
export const pinImages = (spec: ApplicationSpec, images: ImageCatalogue): readonly DesiredImage[] =>
  imageNames(spec).map((name) => {
    const [plain = name, wanted] = name.split('@')
    const held = images.resolve(name) ?? (wanted === undefined ? undefined : images.resolve(plain))
    if (held && (wanted === undefined || wanted === held.digest)) return { name, ...held }
    const known = images.names()
    throw new ConfigError(
      'image-not-held',
      `application ${spec.name} needs the image ${name}, which is not held here: hand it over with "skerry images import FILE", or apply with --image FILE. ${
        known.length === 0 ? 'No image is held' : `Held: ${known.slice(0, 10).join(', ')}`
      }`,
      { image: name },
    )
  })

const applicationNotes = (
  { stored, outcome }: PutOutcome<StoredApplication>,
  spec: ApplicationSpec,
  images: readonly DesiredImage[],
): readonly string[] => {
  if (outcome !== 'unchanged') return []
  const revision = stored.revisions.find(({ version }) => version === (spec.version ?? ''))
  const newest = stored.revisions.at(-1)?.version
  const moved = images.filter(({ name, digest }) =>
    revision?.images.some((held) => held.name === name && held.digest !== digest),
  )
  return [
    ...(newest !== (spec.version ?? '')
      ? [`version ${spec.version} is held already; ${newest} is newer. To go back, use "skerry rollback DEPLOYMENT"`]
      : []),
    ...moved.map(
      ({ name }) =>
        `image ${name} was imported anew, but version ${spec.version} keeps the one it began with: give a new version to use the new one`,
    ),
  ]
}

export const createDeployments = (options: DeploymentsOptions): Deployments => {
  const { store, places, images, hash, clock, tenant, salt, intentOrder = (site) => store.intentOrder(site) } = options
  const inTurn = oneAtATime()
  const listeners = new Set<(sites: readonly string[]) => void>()
  const tell = (sites: readonly string[]) => {
    const changed = [...new Set(sites)].toSorted()
    if (changed.length > 0) for (const notify of listeners) notify(changed)
  }

  const settle = async () => {
    const [applications, deployments, entries] = await Promise.all([
      store.listApplications(),
      store.listDeployments(),
      store.listIntents(),
    ])
    const changes = planIntents({ applications, deployments, places: places(), entries })
    await store.putIntents(changes)
    tell(changes.map(({ site }) => site))
  }

  const applyApplication = async (spec: ApplicationSpec, put: PutOptions): Promise<ApplyOutcome> => {
    const pinned = pinImages(spec, images)
    const revision = revisionOf(spec, pinned, { salt, hash })
    const written = await store.putApplication(
      { spec, version: spec.version ?? '', revision, images: pinned, changedAtMs: clock.wallMs() },
      put,
    )
    return {
      kind: 'application',
      name: spec.name,
      outcome: written.outcome,
      order: written.stored.order,
      notes: applicationNotes(written, spec, pinned),
    }
  }

  const applyDeployment = async (spec: DeploymentSpec, put: PutOptions): Promise<ApplyOutcome> => {
    const { outcome, stored } = await store.putDeployment(spec, clock.wallMs(), put)
    return { kind: 'deployment', name: spec.name, outcome, order: stored.order, notes: [] }
  }

  const held = async (name: string): Promise<[StoredDeployment, StoredApplication]> => {
    const deployment =
      (await store.getDeployment(name)) ??
      missing(
        'deployment',
        name,
        (await store.listDeployments()).map(({ spec }) => spec.name),
      )
    const application = await store.getApplication(deployment.spec.application)
    if (!application)
      throw new ConfigError(
        'not-found',
        `deployment ${name} names the application ${deployment.spec.application}, which is not here`,
      )
    return [deployment, application]
  }

  const rollback = async (name: string, toVersion?: string): Promise<RollbackOutcome> => {
    const [deployment, application] = await held(name)
    const to = rollbackVersion(deployment, application, toVersion)
    const from = deployedRevision(deployment, application)?.version ?? ''
    const spec = { ...deployment.spec, 'application-version': to }
    const { stored } = await store.putDeployment(spec, clock.wallMs(), { ifOrder: deployment.order })
    await settle()
    return { deployment: name, application: application.name, from, to, order: stored.order }
  }

  const intentFor = async (site: string): Promise<SiteIntent | undefined> => {
    const place = places().find((candidate) => candidate.site === site)
    if (!place) return undefined
    const [entries, held, order] = await Promise.all([store.listIntents(), store.listApplications(), intentOrder(site)])
    const applications = entries
      .filter((entry) => entry.site === site)
      .flatMap(({ application, version, revision, deployment, phase }): IntendedApplication[] => {
        const head = { tenant, application, version, revision, deployment }
        if (phase === 'retired') return [{ ...head, phase }]
        const found = held.find(({ name }) => name === application)?.revisions.find((one) => one.revision === revision)
        // Absent never means stop, so the site keeps what it has.
        return found ? [{ ...head, phase, spec: found.spec, images: found.images }] : []
      })
    return { site, order, place, applications }
  }

  return {
    apply: (document, put = {}) =>
      inTurn(async () => {
        const outcome =
          document.kind === 'application'
            ? await applyApplication(document.value, put)
            : await applyDeployment(document.value, put)
        await settle()
        return outcome
      }),
    removeDeployment: (name, put = {}) =>
      inTurn(async () => {
        await store.removeDeployment(name, put)
        await settle()
      }),
    removeApplication: (name, put = {}) => inTurn(() => store.removeApplication(name, put)),
    rollback: (name, toVersion) => inTurn(() => rollback(name, toVersion)),
    intentFor: (site) => inTurn(() => intentFor(site)),
    settle: () => inTurn(settle),
    noteReports: (reports) =>
      inTurn(async () => {
        // A report comes every few seconds from each of ten thousand hosts: mostly there is nothing to look for.
        const entries = (await store.listIntents()).filter(({ phase }) => phase === 'retired')
        if (entries.length === 0) return
        const orders = new Map<string, number>()
        for (const { site } of entries) orders.set(site, await intentOrder(site))
        const gone = sitesDone({ entries, orders, places: places(), reports: reports() })
        for (const { site, application } of gone) await store.forgetIntent(site, application)
        tell(gone.map(({ site }) => site))
      }),
    onChange: (notify) => {
      listeners.add(notify)
      return () => listeners.delete(notify)
    },
  }
}
