import { errorText, SkerryError } from '../base/index.ts'
import { createReplicator } from '../crdt/index.ts'
import { zoneAt } from '../topologies/index.ts'
import type { ApiServices, NodeView } from './api/index.ts'
import { createApiServices } from './api-services.ts'
import { createAuthorityServices } from './authority-services.ts'
import { createBlobExchange } from './blob-exchange.ts'
import type { NodeConfig } from './config.ts'
import { createForwarder } from './forwarding.ts'
import { createImages } from './images.ts'
import { createLabelSight } from './label-sight.ts'
import { createNodeLinks } from './links-of-node.ts'
import { createLocalDesk, type KeptZoneConfig, opaqueSalt } from './local-desk.ts'
import { createMemberServices } from './member-services.ts'
import type { NodePowers } from './node.ts'
import { createNodeConflicts } from './node-conflicts.ts'
import { createNodeKnowledge } from './node-knowledge.ts'
import { openEdge } from './open-edge.ts'
import { openNode } from './open-node.ts'
import { createReportDesk } from './report-desk.ts'
import { createOutcomeWatch, createScopeLanes } from './scope-lanes.ts'
import { lanePolicyOf } from './settle-call.ts'
import { createNodeSiblings } from './siblings-of-node.ts'
import { createSiteDesk, type KeptChoices, type SiteDesk } from './site-desk.ts'
import { createSiteIntents } from './site-intents.ts'
import { createSpecifications } from './specifications.ts'
import { builtInTenant, createTowerDesk } from './tower-desk.ts'
import { treeNodes } from './tree-node.ts'
import { silentZones, nodeView as viewOfNode } from './views/index.ts'
import { createZoneDesk, type Missing } from './zone-desk.ts'
import { createZoneKnowledge } from './zone-knowledge.ts'
import { createZonePolicies } from './zone-policies.ts'
import { zoneRows } from './zone-rows.ts'

export interface RunningNode {
  readonly services: ApiServices
  readonly networkId: string
  /** Opens the links: from here on others see the node. */
  start(): Promise<void>
  stop(): Promise<void>
}

const retryWritesMs = 5_000
/** A certificate that is due is looked for this often. */
const renewEveryMs = 60_000

/** Opens what a node has on disk and puts its parts together. An edge's containers run before anything else is opened. */
export const assembleNode = async (config: NodeConfig, powers: NodePowers): Promise<RunningNode> => {
  const { clock, log, random, store, authority, hash, blobs, stateFile, topology } = powers
  const startedMs = clock.monotonicMs()
  const isZone = config.role !== 'edge'

  const host = await openEdge(config, powers)
  const edge = host?.edge
  const opened = await openNode(config, powers)
  const { identity, book, time, keys, networkId, documents, membership, expected } = opened
  const replicator = createReplicator({ documents, book, powers: authority, clock, log: log.child('replication') })
  const specifications = createSpecifications(blobs, hash)
  let isStopped = false
  const later = (again: () => void) =>
    void clock.setTimer(retryWritesMs, () => {
      if (!isStopped) again()
    })
  const nodes = treeNodes(topology, config)
  const mesh = powers.openMesh({ seed: identity.seed, peerKey: identity.peerKey, networkId })

  /** Whoever can give what waits here is back. */
  const wake = () => {
    edge?.parentBack()
    settle()
  }
  const given = { config, powers, opened, mesh, onReached: wake }
  const siblings = createNodeSiblings({ ...given, links: () => links, accepted: () => edge?.accepted() })

  const exchange = createBlobExchange({
    powers,
    scope: config.scope,
    documents,
    book,
    membership,
    atOnce: isZone ? 8 : 2,
    ask: siblings.orUp((...asked) => links.uplink.ask(...asked)),
    mayHaveBlob: (child, digest) => zoneDesk?.mayHaveBlob(child, digest) ?? false,
  })
  const { fetchBlob, fetchRecords } = exchange

  const policies = createZonePolicies({
    scope: config.scope,
    topology,
    documents,
    log: log.child('policies'),
    onChange: () => links.uplink.reportChanged(),
  })
  const images = createImages(blobs, stateFile('images'))
  const reports = createReportDesk({
    config,
    identity,
    powers,
    book,
    edge,
    nodes,
    tree: policies.tree,
    children: () => links.downlinks?.children() ?? [],
    intendedOrder: (site) => siteIntents.orderOf(site),
    hostOf: (peerKey) => {
      const member = membership.memberOf(peerKey)
      const session = links.sessionOf(peerKey)
      return member?.role === 'edge' && session !== undefined ? { name: member.name, session } : undefined
    },
    refusals: () => siteDesk?.refusals() ?? [],
    ownVersions: () => lanes.ownVersions(),
    ownWishes: () => lanes.ownWishes(),
    rows: (isCounted) =>
      zoneRows({
        isCounted,
        knowledge: () => knowledge(),
        intents: () => intents(),
        lanes,
        conflicts: async () =>
          (await conflicts.list())
            .filter((one) => one.scope === config.scope)
            .map((one) => ({ application: one['application-id'], forMs: one['since-ms'] })),
        hash,
      }),
  })

  const policy = () => lanePolicyOf(topology && zoneAt(topology, config.scope)?.settle)
  const lanes = createScopeLanes({
    scope: config.scope,
    documents,
    book,
    policy,
    hash: authority.hash,
    ...(config.role === 'aggregator' && { salt: opaqueSalt(stateFile, random) }),
  })
  const sight = createLabelSight(policies.tree, book, authority)
  const shared = { scope: config.scope, lanes, policy, documents, book, specifications, sight, clock, hash }

  const tower =
    topology !== undefined && keys?.tenants[0] !== undefined
      ? createTowerDesk({
          ...shared,
          topology,
          images,
          blobs,
          random,
          log: log.child('configuration'),
          stateFile,
          powers: authority,
          signer: identity.signer,
          tenant: keys.tenants[0],
          intentOrder: (site) => siteIntents.orderOf(site) ?? reports.intendedOrderOf(site) ?? 0,
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
        effective: () => tower?.effective() ?? lanes.effective(),
        ...(config.parents.length > 0 && {
          fetch: async ({ versions, blobs: wanted }: Missing) => {
            if (versions.length > 0) await fetchRecords(versions)
            for (const { digest, application } of wanted) await fetchBlob(digest, application)
          },
        }),
        later,
        log: log.child('deployments'),
        onChange: () => void siteIntents.refresh().then(() => links.uplink.reportChanged()),
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
          images,
          file: stateFile<KeptZoneConfig>('zone-config'),
          random: random.fork('local'),
          log: log.child('configuration'),
          tenantName: builtInTenant,
          intents: () => siteIntents.all(),
          topology: () => ({ ...topology }),
          onChange: () => {
            void zoneDesk?.settle()
            links.uplink.reportChanged()
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

  const siteDesk: SiteDesk | undefined =
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
      later,
      log: log.child('site'),
      onChange: () => links.uplink.reportChanged(),
    })
  host?.fetchBy(async (archive, signal) => {
    const reference = siteDesk?.referenceOf(archive)
    if (reference === undefined) throw new SkerryError('not-held', `no application here needs ${archive} any more`)
    await exchange.fetchByReference(archive, reference, signal)
  })

  const { knowledge, intents } = createNodeKnowledge({
    ...shared,
    tree: policies.tree,
    tower,
    edge,
    zoneDesk,
    tenant: builtInTenant,
    siteIntents: () => siteIntents,
    reports: () => reports,
  })

  const reportOutcomes = createOutcomeWatch(lanes, () => links.uplink.reportChanged())
  const settle = () => void (siteDesk ?? zoneDesk)?.settle().then(reportOutcomes)
  const desk = tower ?? local
  const conflicts = createNodeConflicts({
    ...shared,
    config,
    topology,
    local,
    tower,
    zoneDesk,
    nodes,
    reports,
    tree: policies.tree,
    knowledge,
    ask: async (to, call, signal) => (await forwarder.send({ to, call: 'settle', settle: call }, signal)).head,
  })
  const nodeView = (): NodeView =>
    viewOfNode({
      config,
      version: powers.version,
      pid: powers.pid,
      uptimeMs: clock.monotonicMs() - startedMs,
      rssBytes: powers.rssBytes(),
      networkId,
      fingerprint: identity.signer.keyId,
      link: links.uplink.state(),
      status: edge?.report().status,
      staleForMs: membership.authorityStaleForMs(),
      addresses: mesh.addresses(),
      borders: topology === undefined ? [] : silentZones(topology, config.scope),
      siblings: siblings.words(),
    })
  const noHost = () => {
    throw new SkerryError('not-found', `${config.name} runs no containers; name a site with --site`)
  }
  const members = createMemberServices({
    config,
    membership,
    topology,
    tree: policies.tree,
    nodes,
    ask: async (to, member, signal) => (await forwarder.send({ to, call: 'member', member }, signal)).head,
  })
  const forwarder = createForwarder({
    self: config.name,
    nodes: () => nodes,
    reports: () => reports.hosts(),
    local: {
      node: nodeView,
      exec: async (call, signal) => (edge ?? (noHost() as never)).exec(call.instance, { ...call, signal }),
      logs: (call, signal) => (edge ?? (noHost() as never)).logs(call.instance, { ...call, signal }),
      member: (call) => members.act(call),
      settle: (call, signal) => conflicts.settle(call, signal),
    },
    request: (peer, question, signal) => (links.downlinks ?? (noHost() as never)).request(peer, question, signal),
    scope: config.scope,
    tree: policies.tree,
  })

  const links = createNodeLinks({
    config,
    powers,
    mesh,
    tree: policies.tree,
    book,
    membership,
    replicator,
    trustedNowMs: time.nowMs,
    blobServer: exchange.server,
    mayHaveVersion: (child, id) => zoneDesk?.mayHaveVersion(child, id) ?? false,
    onReports: (child, peerKey, value) => {
      // That nothing changed goes up with the next report.
      if (!reports.take(child, peerKey, value)) return
      links.uplink.reportChanged()
      tower
        ?.noteReports(reports.hosts())
        .catch((error: unknown) => log.warn('reports could not be taken into account', { error: errorText(error) }))
    },
    report: () => reports.message(),
    onRequest: (question, signal) => forwarder.serve(question, signal),
    onSession: reports.onSession,
    onDeposit: siblings.onDeposit,
    onChange: (linkedKey) => {
      if (linkedKey !== undefined) siblings.onLinked(linkedKey)
      links.uplink.reportChanged()
    },
    onParent: (isUp) => {
      siblings.onParent(isUp)
      if (isUp) wake()
    },
  })

  const stops = [
    documents.onChange(({ from }) => {
      if (from !== undefined) settle()
    }),
    book.onChange(settle),
    ...(edge ? [edge.onChange(() => links.uplink.reportChanged())] : []),
  ]
  let renewing: { cancel(): void } | undefined
  const renew = () => {
    if (membership.renewDue(clock.monotonicMs())) links.uplink.rejoin()
    renewing = clock.setTimer(renewEveryMs, renew)
  }

  return {
    networkId,
    services: createApiServices({
      config,
      nodes: () => nodes,
      knowledge,
      nodeView,
      forwarder,
      hash,
      images,
      members: members.services,
      zoneKnowledge: createZoneKnowledge(book, membership, links),
      ...(desk && { desk }),
      conflicts,
      authority: createAuthorityServices({ config, membership, topology, policies, powers: authority }),
      policies,
      ...(topology && { topology }),
    }),
    start: async () => {
      await membership.start()
      await policies.start()
      await tower?.start()
      await local?.start()
      await (siteDesk ?? zoneDesk)?.settle()
      await siteIntents.refresh()
      await mesh.start()
      links.uplink.start()
      siblings.start()
      renew()
      log.info('started', { name: config.name, role: config.role, pid: powers.pid })
    },
    stop: async () => {
      isStopped = true
      renewing?.cancel()
      for (const stop of stops) stop()
      await siblings.stop()
      await links.uplink.stop()
      await mesh.stop()
      await membership.stop()
      await edge?.stop()
      await documents.close()
      await store.close()
      log.info('stopped', { name: config.name })
    },
  }
}
