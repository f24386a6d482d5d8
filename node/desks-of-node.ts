import { sleep } from '../base/index.ts'
import { type Topology, zoneAt } from '../topologies/index.ts'
import { createApplicationNames } from './application-names.ts'
import type { BlobExchange } from './blob-exchange.ts'
import type { NodeConfig } from './config.ts'
import type { EdgeHost } from './edge-host.ts'
import type { Images } from './images.ts'
import { createLabelSight } from './label-sight.ts'
import { createLocalDesk, type KeptZoneConfig, opaqueSalt } from './local-desk.ts'
import type { NodePowers } from './node.ts'
import type { OpenedNode } from './open-node.ts'
import { createSpecificationCopies } from './own-copies.ts'
import { createOutcomeWatch, createScopeLanes } from './scope-lanes.ts'
import { createSealing } from './sealing.ts'
import { lanePolicyOf } from './settle-call.ts'
import { createSiteDesk, type KeptChoices } from './site-desk.ts'
import { createSiteIntents } from './site-intents.ts'
import { createSpecifications } from './specifications.ts'
import { builtInTenant, createTowerDesk } from './tower-desk.ts'
import { createZoneDesk, type Missing } from './zone-desk.ts'

export interface DesksOptions {
  readonly config: NodeConfig
  readonly powers: NodePowers
  readonly opened: OpenedNode
  readonly images: Images
  readonly edge: EdgeHost | undefined
  readonly exchange: BlobExchange
  readonly tree: () => Topology | undefined
  /** Whether what another aggregator of the zone decided is on its way here. */
  readonly isCatchingUp: () => boolean
  /** The newest intent of a site, as the nodes between say; undefined while none said. */
  readonly intendedOrderOf: (site: string) => number | undefined
  /** What goes up has changed. */
  readonly reportChanged: () => void
}

const retryWritesMs = 5_000
/** What belongs to one deployment comes to a site within so long, mostly: one round for all of it. Milliseconds. */
const gatherMs = 20

/** Who decides what at a node: each role has its desks, and they read the same lanes. */
export const createNodeDesks = (options: DesksOptions) => {
  const { config, powers, opened, images, edge, reportChanged } = options
  const { clock, log, random, store, authority, hash, blobs, stateFile, topology, guards } = powers
  const { identity, book, keys, documents, damaged, expected } = opened
  const { fetchBlob, fetchRecords } = options.exchange
  const isZone = config.role !== 'edge'
  let isStopped = false
  const later = (again: () => void) =>
    void clock.setTimer(retryWritesMs, () => {
      if (!isStopped) again()
    })

  const policy = () => lanePolicyOf(topology && zoneAt(topology, config.scope)?.settle)
  const specifications = createSpecifications(blobs, hash)
  const lanes = createScopeLanes({
    scope: config.scope,
    documents,
    book,
    policy,
    hash: authority.hash,
    names: createApplicationNames({ book, specifications }),
    ...(config.role === 'aggregator' && { salt: opaqueSalt(stateFile, random) }),
  })
  const copies = createSpecificationCopies(store, blobs)
  const sight = createLabelSight(options.tree, book, authority)
  const shared = { scope: config.scope, lanes, policy, documents, book, specifications, sight, clock, hash, guards }

  const tower =
    topology !== undefined && keys?.tenants[0] !== undefined
      ? createTowerDesk({
          ...shared,
          topology,
          images,
          blobs,
          damaged,
          copies,
          random,
          later,
          log: log.child('configuration'),
          stateFile,
          powers: authority,
          signer: identity.signer,
          tenant: keys.tenants[0],
          intentOrder: (site) => siteIntents.orderOf(site) ?? options.intendedOrderOf(site) ?? 0,
          onChange: () => void zoneDesk?.settle(),
        })
      : undefined

  const owner = () => {
    const found = book.ownerAt(config.scope, 'zone')
    return found?.keys.has(identity.signer.keyId) ? found : undefined
  }

  const zoneDesk = isZone
    ? createZoneDesk({
        ...shared,
        owner,
        signer: identity.signer,
        powers: authority,
        store,
        blobs,
        children: expected,
        isCatchingUp: options.isCatchingUp,
        effective: () => tower?.effective() ?? lanes.effective(),
        known: async () => (tower || (owner()?.keys.size ?? 0) < 2 ? undefined : lanes.decisions()),
        ...((config.parents.length > 0 || tower) && {
          fetch: async ({ versions, blobs: wanted }: Missing) => {
            if (versions.length > 0 && !tower) await fetchRecords(versions)
            for (const { digest, application } of wanted) await fetchBlob(digest, application)
          },
        }),
        later,
        log: log.child('deployments'),
        onChange: () => void siteIntents.refresh().then(reportChanged),
      })
    : undefined
  const local =
    isZone && !tower
      ? createLocalDesk({
          ...shared,
          name: config.name,
          owner,
          signer: identity.signer,
          powers: authority,
          blobs,
          copies,
          images,
          file: stateFile<KeptZoneConfig>('zone-config'),
          random: random.fork('local'),
          log: log.child('configuration'),
          tenantName: builtInTenant,
          intents: () => siteIntents.all(),
          waitedFor: (application) =>
            (zoneDesk?.waiting() ?? []).flatMap((one) =>
              one.application === application ? (one.decisions ?? []) : [],
            ),
          topology: () => ({ ...topology }),
          later,
          onChange: () => {
            void zoneDesk?.settle()
            reportChanged()
          },
        })
      : undefined
  const siteIntents = createSiteIntents({
    ...shared,
    topology,
    // A tower answers from its configuration: it needs no site's intent in full.
    zoneDesk: tower ? undefined : zoneDesk,
    tenant: builtInTenant,
    log,
  })

  const siteDesk =
    edge &&
    createSiteDesk({
      ...shared,
      powers: authority,
      file: stateFile<KeptChoices>('choices'),
      tenant: builtInTenant,
      accepted: () => edge.accepted(),
      accept: (intent) => edge.accept(intent),
      fetch: async ({ versions, specifications: wanted }) => {
        if (versions.length > 0) await fetchRecords(versions)
        for (const { revision, application } of wanted) await fetchBlob(`sha256:${revision}`, application)
      },
      gather: async () => {
        await sleep(clock, gatherMs)
        return !isStopped
      },
      later,
      log: log.child('site'),
      onChange: reportChanged,
    })

  const sealing = createSealing({
    documents,
    book,
    powers: authority,
    signers: () => [identity.signer, ...(keys?.tenants ?? []).map(({ signer }) => signer)],
    later,
    ...(powers.sealLimits && { limits: powers.sealLimits }),
    log: log.child('sealing'),
  })
  const reportOutcomes = createOutcomeWatch(lanes, reportChanged)
  return {
    /** What the parts of a node that read lanes have in common. */
    shared,
    lanes,
    siteIntents,
    tower,
    local,
    zoneDesk,
    siteDesk,
    sealing,
    /** What is amiss with what is kept here, a line each. */
    words: () => [...(tower?.damage() ?? []), ...sealing.words()],
    /** Changes that came too late for a seal, about what these signed versions are of and as in `sealing`; a line each. */
    lateAbout: (versions: readonly string[], scope: string | undefined) =>
      sealing.about(
        versions.flatMap((id) => {
          const { application, deployment } = book.version(id)?.body ?? {}
          return application === undefined || deployment === undefined ? [] : [application, deployment]
        }),
        scope,
      ),
    /** Where operators change what is configured; none at an edge. */
    change: tower ?? local,
    /** Brings what follows from the lanes up to what they say now. */
    settle: () => {
      void (siteDesk?.settle() ?? zoneDesk?.settle().then(reportOutcomes))
      // Also where nothing is deployed yet, the sites right below are to be seen.
      if (!siteIntents.isKnown()) void siteIntents.refresh()
    },
    start: async () => {
      await tower?.start()
      await local?.start()
      await (siteDesk ?? zoneDesk)?.settle()
      await siteIntents.refresh()
      sealing.start()
    },
    stop: async () => {
      isStopped = true
      await sealing.stop()
    },
  }
}
