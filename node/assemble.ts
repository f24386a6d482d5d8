import { errorText, SkerryError } from '../base/index.ts'
import { createReplicator } from '../crdt/index.ts'
import type { ApiServices, NodeView } from './api/index.ts'
import { createApiServices } from './api-services.ts'
import { createAuthorityServices } from './authority-services.ts'
import { createBlobExchange } from './blob-exchange.ts'
import type { NodeConfig } from './config.ts'
import { createNodeDesks } from './desks-of-node.ts'
import { createNodeFellows } from './fellows-of-node.ts'
import { createForwarder } from './forwarding.ts'
import { createImages } from './images.ts'
import { createNodeLinks } from './links-of-node.ts'
import { createMemberServices } from './member-services.ts'
import type { NodePowers } from './node.ts'
import { createNodeConflicts } from './node-conflicts.ts'
import { createNodeKnowledge } from './node-knowledge.ts'
import { openEdge } from './open-edge.ts'
import { openNode } from './open-node.ts'
import { withCopies } from './own-copies.ts'
import { createReportDesk } from './report-desk.ts'
import { createNodeSiblings } from './siblings-of-node.ts'
import { builtInTenant } from './tower-desk.ts'
import { treeNodes } from './tree-node.ts'
import { silentZones, nodeView as viewOfNode } from './views/index.ts'
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

/** A certificate that is due is looked for this often. */
const renewEveryMs = 60_000

/** Opens what a node has on disk and puts its parts together. An edge's containers run before anything else is opened. */
export const assembleNode = async (config: NodeConfig, bare: NodePowers): Promise<RunningNode> => {
  const powers = withCopies(config, bare)
  const { clock, log, store, authority, hash, blobs, stateFile, topology } = powers
  const startedMs = clock.monotonicMs()
  const isZone = config.role !== 'edge'

  const host = await openEdge(config, powers)
  const edge = host?.edge
  const opened = await openNode(config, powers)
  const { identity, book, time, networkId, documents, membership } = opened
  const replicator = createReplicator({
    documents,
    book,
    powers: authority,
    clock,
    log: log.child('replication'),
    ...(powers.guards?.replication && { guards: powers.guards.replication }),
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

  const policies = createZonePolicies({
    scope: config.scope,
    topology,
    documents,
    log: log.child('policies'),
    onChange: () => {
      links.uplink.reportChanged()
      replicator.refresh()
    },
  })
  const fellows = createNodeFellows({
    ...given,
    replicator,
    tree: policies.tree,
    onLinked: () => settle(),
    telling: () => reports.tellingFellow(),
    onReports: (key, value) => {
      if (reports.takeOfFellow(key, value)) links.uplink.reportChanged()
    },
  })
  /** How hosts fare, or what they are to do, is told to all who are to know. */
  const reportChanged = () => {
    links.uplink.reportChanged()
    fellows.reportChanged()
  }
  const exchange = createBlobExchange({
    powers,
    scope: config.scope,
    documents,
    book,
    membership,
    atOnce: isZone ? 8 : 2,
    ask: fellows.orUp(siblings.orUp((...asked) => links.uplink.ask(...asked))),
    askEach: fellows.askEach,
    mayHaveBlob: (child, digest) => zoneDesk?.mayHaveBlob(child, digest) ?? false,
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
    fellows: fellows.seen,
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

  const desks = createNodeDesks({
    config,
    powers,
    opened,
    images,
    edge,
    exchange,
    isCatchingUp: fellows.isCatchingUp,
    tree: policies.tree,
    intendedOrderOf: (site) => reports.intendedOrderOf(site),
    reportChanged,
  })
  const { shared, lanes, tower, local, zoneDesk, siteIntents, siteDesk, settle } = desks
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
      owed: siblings.owed(),
      lanes: desks.words(),
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
    heardHere: () => reports.heardHere(),
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
    specification: desks.shared.specifications.bytes,
    onReports: (child, peerKey, value) => {
      // That nothing changed goes up with the next report.
      if (!reports.take(child, peerKey, value)) return
      reportChanged()
      tower
        ?.noteReports(() => reports.hosts())
        .catch((error: unknown) => log.warn('reports could not be taken into account', { error: errorText(error) }))
    },
    report: () => reports.message(),
    isChanging: () => (edge?.isBusy() || siteDesk?.isBusy()) ?? false,
    onRequest: (question, signal) => forwarder.serve(question, signal),
    onSession: reports.onSession,
    onDeposit: siblings.onDeposit,
    onFellow: fellows.greet,
    onChange: (linkedKey) => {
      if (linkedKey !== undefined) siblings.onLinked(linkedKey)
      reportChanged()
    },
    onParent: (isUp) => {
      siblings.onParent(isUp)
      if (isUp) wake()
    },
  })

  const stops = [
    documents.onChange(({ from, documentId }) => {
      if (from === undefined) return
      settle()
      const lane = documents.epochOf(documentId)?.lane
      if (
        isZone &&
        lane !== undefined &&
        (lane.kind === 'member' || lane.kind === 'zone') &&
        lane.scope !== config.scope
      )
        membership
          .follow(lane.scope)
          .catch((error: unknown) => log.warn('a member lane was not followed', { error: errorText(error) }))
    }),
    book.onChange(settle),
    ...(edge
      ? [
          edge.onChange(() => {
            // It tells after each look at its containers, which are mostly as they were.
            if (reports.isNews()) links.uplink.reportChanged()
          }),
        ]
      : []),
  ]
  let renewing: { cancel(): void } | undefined
  const renew = () => {
    if (membership.renewDue(clock.monotonicMs())) links.uplink.rejoin()
    const outOfDate = membership.outOfDate().filter((key) => links.downlinks?.isLinked(key))
    if (outOfDate.length > 0) {
      log.info('certificates of children do not hold at this time: they get others as they call again', {
        children: outOfDate.length,
      })
      links.downlinks?.cut(outOfDate)
    }
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
      ...(desks.change && { desk: desks.change }),
      conflicts,
      lateAbout: desks.lateAbout,
      authority: createAuthorityServices({ config, membership, topology, policies, powers: authority }),
      policies,
      ...(topology && { topology }),
    }),
    start: async () => {
      await membership.start()
      await policies.start()
      await desks.start()
      await mesh.start()
      links.uplink.start()
      siblings.start()
      fellows.start()
      renew()
      log.info('started', { name: config.name, role: config.role, pid: powers.pid })
    },
    stop: async () => {
      await desks.stop()
      renewing?.cancel()
      for (const stop of stops) stop()
      await siblings.stop()
      await fellows.stop()
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
