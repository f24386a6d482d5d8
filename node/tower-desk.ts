import { type Clock, errorText, type Log, type Random, randomHex, SkerryError } from '../base/index.ts'
import {
  type AuthorityPowers,
  type Book,
  type Documents,
  defaultLanePolicy,
  type Effective,
  effective,
  entryLimits,
  formatLaneName,
  type LaneName,
  type Signer,
} from '../crdt/index.ts'
import { hostLabels, siteLabels, sites, type Topology } from '../topologies/index.ts'
import { specificationBlobs } from './blob-bytes.ts'
import type { ConfigDesk } from './config-desk.ts'
import { createConfigServices } from './config-services.ts'
import type { Images } from './images.ts'
import type { Knowledge } from './knowledge.ts'
import type { SpecificationCopies } from './own-copies.ts'
import type { BlobStore, StateFile } from './powers/index.ts'
import { createRounds } from './rounds.ts'
import {
  configIds,
  createDeployments,
  createLaneConfigStore,
  describeVersionStep,
  type Hash,
  type HostReport,
  namesOfConfig,
  pickConfigValues,
  planVersions,
  type ReportsNow,
  type RowNames,
  type SignedChange,
  type SitePlace,
  signVersions,
  type ToldCache,
  viewOfDecisions,
} from './services/deployments/index.ts'
import type { HeldTenant } from './services/membership/index.ts'
import { brokenGround, damageWords, refusedWhile } from './tower-damage.ts'

/** What a tower does besides being a node: it holds configuration and decides what of it is to run. */
export interface TowerDesk extends ConfigDesk {
  start(): Promise<void>
  /** What the configuration comes to, per tenant. */
  effective(): Promise<ReadonlyMap<string, ReadonlyMap<string, Effective>>>
  knowledge(reports: readonly HostReport[]): Promise<Omit<Knowledge, 'intentOrder' | 'summaries'>>
  noteReports(reports: ReportsNow): Promise<void>
  /** What the applications and versions of a zone's counts are called. */
  names(): RowNames
  /**
   * Decides the same of an application once more, naming decisions of a zone that only stand here by their opaque ids; false
   * where nothing is decided of it.
   */
  decideAnew(application: string, seen: readonly string[]): Promise<boolean>
  /** What the disk spoiled, and what to do; nothing as a rule. */
  damage(): readonly string[]
}

export interface TowerDeskOptions {
  readonly topology: Topology
  readonly images: Images
  readonly blobs: BlobStore
  readonly hash: Hash
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** A write that failed is tried again after a while. */
  readonly later: (again: () => void) => void
  readonly stateFile: <Value>(name: string) => StateFile<Value>
  readonly documents: Documents
  /** Ids of lanes that were found damaged when the documents were opened. */
  readonly damaged: readonly string[]
  readonly book: Book
  readonly copies: SpecificationCopies
  readonly powers: AuthorityPowers
  /** The tower's own key, to which the tenant delegated. */
  readonly signer: Signer
  readonly tenant: HeldTenant & { readonly salt: string }
  /** The order number of the newest intent of a site, as far as it is known. */
  readonly intentOrder: (site: string) => number
  /** Called after something new was decided. */
  readonly onChange: () => void
}

/** The name of the one tenant of this release. */
export const builtInTenant = 'default'

const placesOf = (topology: Topology): readonly SitePlace[] =>
  sites(topology)
    .filter(({ type }) => type === 'edge')
    .map((site) => ({
      site: site.name,
      scope: site.path,
      labels: siteLabels(topology, site),
      hosts: site.hosts.map((host) => ({ name: host.name, labels: hostLabels(host) })),
    }))

/** Configuration in the tenant's lane, and the signed versions and decisions that follow from it. */
export const createTowerDesk = (options: TowerDeskOptions): TowerDesk => {
  const { topology, images, blobs, hash, clock, random, log, documents, book, powers, tenant } = options
  const places = placesOf(topology)
  const lane: LaneName = { kind: 'tenant', tenant: tenant.tenant, section: 'config' }

  const documentId = (): string => {
    const id = documents.idOf(lane)
    if (id === undefined)
      throw new SkerryError('not-held', 'the lane of the configuration is not here: restore the store')
    return id
  }

  const toldFile = options.stateFile<ToldCache>('told')
  const store = createLaneConfigStore({
    lane: {
      load: async () => pickConfigValues(await documents.standing(documentId())),
      save: async (edits) => {
        const [result] = await documents.write([{ documentId: documentId(), edit: () => edits }], tenant.signer)
        if (result !== undefined && !result.ok && result.refusal.code !== 'no-change')
          throw new SkerryError('write-failed', `the configuration cannot be written: ${result.refusal.message}`)
      },
    },
    blobs: specificationBlobs(blobs, options.copies),
    told: {
      load: () => toldFile.load(),
      save: (value) => {
        try {
          toldFile.save(value)
        } catch (error) {
          log.warn('what sites were told is not kept, and is tried again', { error: errorText(error) })
          throw error
        }
      },
    },
    newId: configIds(tenant.signer, hash),
    hash,
    salt: tenant.salt,
    onChange: () => void decide(),
  })

  /** Undefined while there is something to stand on. */
  let broken: string | undefined
  const damage = () => damageWords({ broken, lost: store.lost(), images, blobs })

  const decisionIds = random.fork('decisions')
  /** Signs what the configuration asks for and the decisions do not say yet. */
  const decide = createRounds(async () => {
    try {
      if (broken !== undefined) return
      const config = store.config()
      const steps = planVersions(config, (id) => book.version(id)?.body)
      if (steps.length === 0) return
      const signed = signVersions(steps, config, {
        networkId: book.networkId() ?? '',
        tenant: tenant.tenant,
        signer: options.signer,
        powers,
        random: decisionIds,
      })
      const taken = await book.take(signed.records.map(({ bytes }) => bytes))
      const refused = taken.find((one) => one.kind === 'refused')
      if (refused !== undefined) throw new SkerryError('not-signed', refused.refusal.message)
      await store.putDecisions(signed.decisions)
      for (const step of steps) log.info(describeVersionStep(step))
      options.onChange()
    } catch (error) {
      log.error('what the configuration asks for could not be signed', { error: errorText(error) })
      // It was acknowledged: once the disk has room again it is decided without anyone asking anew.
      options.later(() => void decide())
    }
  })

  const trial = { places: () => places, images, hash, clock, tenant: builtInTenant, salt: tenant.salt }
  const deployments = createDeployments({ ...trial, store, intentOrder: options.intentOrder })

  const desk = refusedWhile(() => broken, {
    config: createConfigServices({ store, deployments, trial, topology: () => ({ ...topology }) }),
    rollback: async (deployment, toVersion) => {
      const { from, to } = await deployments.rollback(deployment, toVersion)
      return { deployment, 'from-version': from, 'to-version': to }
    },
  })

  return {
    ...desk,
    damage,
    start: async () => {
      const owner = book.owner(tenant.tenant)
      broken = brokenGround(options, tenant.tenant, lane)
      if (broken === undefined && owner !== undefined) {
        await documents.create(lane, owner, tenant.signer)
        await store.open()
      }
      for (const line of damage()) log.error(line)
      if (broken !== undefined) return
      await deployments.settle()
      await decide()
    },
    effective: async () => {
      if (broken !== undefined) return new Map()
      const view = viewOfDecisions(store.config(), formatLaneName(lane), powers)
      return new Map([[tenant.tenant, effective([view], defaultLanePolicy)]])
    },
    knowledge: async (reports) => {
      const [applications, stored, entries] = await Promise.all([
        store.listApplications(),
        store.listDeployments(),
        store.listIntents(),
      ])
      const signed = [...store.config().decisions.values()].flatMap(({ version: id }): readonly SignedChange[] => {
        const version = id === null ? undefined : book.version(id)?.body
        const application = version && store.config().applications.get(version.application)?.name
        if (version === undefined || application === undefined || id === null) return []
        const { name: deployment, revision, signer, order } = version
        return [{ application, deployment, revision, version: id, signer, order }]
      })
      return { applications, deployments: stored, places, entries, reports, signed }
    },
    names: () => namesOfConfig(store.config(), (id) => book.version(id)?.body),
    decideAnew: async (application, seen) => {
      const decision = [...store.config().decisions.values()].findLast((one) => one.application === application)
      if (decision === undefined || broken !== undefined) return false
      const anew = randomHex(decisionIds, 16)
      const named = [...new Set([...decision.seen, decision.decision, ...seen])].toSorted()
      await store.putDecisions([{ ...decision, decision: anew, seen: named.slice(-entryLimits.seen) }])
      options.onChange()
      return true
    },
    noteReports: async (reports) => {
      if (broken === undefined) await deployments.noteReports(reports)
    },
  }
}
