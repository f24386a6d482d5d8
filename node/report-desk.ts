import { randomHex } from '../base/index.ts'
import {
  type Book,
  type Leaf,
  leavesRoot,
  type RollUp,
  sealRollUp,
  sealZoneView,
  toHex,
  type ZoneWish,
} from '../crdt/index.ts'
import { parentOf, type Topology, zoneAt } from '../topologies/index.ts'
import type { NodeConfig } from './config.ts'
import type { EdgeHost } from './edge-host.ts'
import { createFellowWords } from './fellow-words.ts'
import { isOut } from './guards.ts'
import type { Identity } from './identity.ts'
import { createFleet } from './knowledge.ts'
import { lastLinesHash, splitLastLines } from './last-lines.ts'
import type { LinkedChild } from './links/index.ts'
import type { NodePowers } from './node.ts'
import { createReportSession, type ReportSession } from './report-session.ts'
import { withoutAges } from './report-stream.ts'
import { type CarriedHost, type CarriedZone, createReportReader, reportMessage, signReport } from './reports.ts'
import type { HostReport, RowNames, StartRefusal, ZoneSummary } from './services/deployments/index.ts'
import { isWithin, type TreeNode } from './tree-node.ts'

export interface ReportDeskOptions {
  readonly config: NodeConfig
  readonly identity: Identity
  readonly powers: NodePowers
  readonly book: Book
  readonly edge: EdgeHost | undefined
  readonly nodes: readonly TreeNode[]
  /** The zones this node knows, with what may leave them now. */
  readonly tree: () => Topology | undefined
  readonly children: () => readonly LinkedChild[]
  /** The other aggregators of this zone that are linked now, or were. */
  readonly fellows: () => readonly LinkedChild[]
  readonly intendedOrder: (site: string) => number | undefined
  readonly hostOf: (peerKey: string) => { readonly name: string; readonly session: number } | undefined
  readonly refusals: () => readonly StartRefusal[]
  /** What the zone says of itself; without counts where every host's own report leaves. */
  readonly rows: (isCounted: boolean) => Promise<Pick<RollUp, 'rows' | 'own' | 'outcomes'>>
  /** What operators of this zone want, without who said so. */
  readonly ownWishes: () => Promise<readonly ZoneWish[]>
  /** Versions that operators of this zone decided for, where the parent may read what they want. */
  readonly ownVersions: () => Promise<readonly { readonly id: string; readonly bytes: Uint8Array }[]>
}

/** Records in one report: as many as a parent takes. */
const mostRecords = 1_000

/** A host that has not looked at its containers for so long says so each time, in milliseconds. */
const blindAfterMs = 15_000

/** Signed reports up and down one node: its own word, those of hosts below, and what of them goes on to the parent. */
export const createReportDesk = (options: ReportDeskOptions) => {
  const { config, identity, powers, book, edge, nodes } = options
  const { clock, log } = powers
  const judging = { book, powers: powers.authority, clock }
  const reader = createReportReader({ ...judging, log: log.child('reports'), hostOf: options.hostOf })
  const expected = nodes
    .filter(({ role }) => role === 'edge')
    .map(({ name, site }) => ({ site, host: name, node: name }))
  const { intendedOrder } = options
  const fleet = createFleet({ clock, expected, children: options.children, intendedOrder })
  const fellows = createFellowWords({
    clock,
    scope: config.scope,
    expected,
    intendedOrder,
    seen: options.fellows,
    createReader: () => createReportReader({ ...judging, log: log.child('fellow-reports'), hostOf: () => undefined }),
  })
  const zones = new Map<string, CarriedZone>()
  const salts = new Map<string, string>()
  const random = powers.random.fork('report-salts')
  /** What the parent was told. */
  const up = createReportSession()
  let session = 0
  let seq = 0
  /** What this host signed last: it stands until something but ages is different. */
  let signed: { readonly text: string; readonly atMs: number; readonly host: CarriedHost } | undefined

  const turn = () => {
    seq += 1
    return { networkId: book.networkId() ?? '', session, seq }
  }
  const ownReport = (host: EdgeHost): HostReport => ({
    ...host.report(),
    ingressAddress: config.ingressAddress,
    refusals: options.refusals(),
  })
  /** What a host would sign now, and the same without what only grows older. */
  const ownWord = (host: EdgeHost) => {
    const report = ownReport(host)
    const certificate = book.certificateOf(identity.signer.keyId)
    // Who cannot look at its containers says so each time, as the age of its last look is the news.
    const isBlind = (report.status?.observedAgeMs ?? 0) > blindAfterMs
    const text = `${certificate?.id} ${withoutAges(report)} ${isBlind ? clock.monotonicMs() : ''}`
    return { report, certificate, text }
  }
  const ownHost = (host: EdgeHost): readonly CarriedHost[] => {
    const { report, certificate, text } = ownWord(host)
    if (certificate === undefined) return []
    const nowMs = clock.monotonicMs()
    if (signed?.text !== text) signed = { text, atMs: nowMs, host: signHost(report, certificate.bytes) }
    return [{ ...signed.host, report: { ...report, statusAgeMs: nowMs - signed.atMs } }]
  }
  const signHost = (report: HostReport, certificate: Uint8Array): CarriedHost => {
    const now = turn()
    const hash = `${now.session}/${now.seq}`
    if (report.status === undefined)
      return { snapshot: signReport(report, now, identity.signer, undefined), certificate, hash, report }
    const { status, lines: said } = splitLastLines(report.status)
    const lines = said.length === 0 ? undefined : { salt: randomHex(random, 16), lines: [...said] }
    const linesHash = lines && lastLinesHash(lines, powers.authority.hash)
    const snapshot = signReport({ ...report, status }, now, identity.signer, linesHash)
    return { snapshot, certificate, hash, report, ...(lines && { lines }) }
  }

  /** Key lists of this zone where it renews itself, and of zones further down. @param isWhole whether of these */
  const keyLists = (isWhole: boolean): readonly { readonly id: string; readonly bytes: Uint8Array }[] => {
    const scopes = [...new Set(nodes.filter(({ role }) => role !== 'edge').map(({ scope }) => scope))]
    return scopes
      .filter((scope) => scope === config.scope || (isWhole && isWithin(scope, config.scope)))
      .flatMap((scope): readonly { readonly id: string; readonly bytes: Uint8Array }[] => {
        const owner = book.ownerAt(scope, 'zone')
        // Of a zone that renews itself each list stands on the one before.
        if (owner?.succession === 'own') return book.listsOf(owner.id)
        return scope === config.scope
          ? []
          : book.recordsFor(scope).filter(({ kind, id }) => kind === 'key-list' && id === owner?.list)
      })
  }
  const freshRecords = (to: ReportSession, records: ReturnType<typeof keyLists>): readonly Uint8Array[] =>
    to
      .freshRecords(records)
      .slice(0, mostRecords)
      .map(({ bytes }) => bytes)
  /** Key lists, those of zones further down where names leave this one, and versions of its own. */
  const recordsUp = async (isWhole: boolean): Promise<readonly Uint8Array[]> =>
    freshRecords(up, [...keyLists(isWhole), ...(mayReadIntents() ? await options.ownVersions() : [])])

  const zonesNow = () => fellows.zones(zones)
  const saidOf = (zone: CarriedZone) => ({ ...zone, said: `${zone.rollUp.hash} ${zone.view?.length ?? 0}` })

  /** A leaf for every host heard and every zone that keeps its own to itself; a salt is drawn once for each. */
  const leavesNow = (): readonly Leaf[] => {
    const saltOf = (name: string): string => {
      const salt = salts.get(name) ?? randomHex(random, 16)
      salts.set(name, salt)
      return salt
    }
    return [
      ...fellows
        .carried(fleet.carried())
        .map(({ hash, report }) => ({ kind: 'host' as const, name: report.host, report: hash })),
      ...[...zonesNow().values()].map(({ scope, rollUp }) => ({
        kind: 'zone' as const,
        name: scope,
        report: rollUp.hash,
      })),
    ].map((leaf) => ({ ...leaf, salt: saltOf(`${leaf.kind} ${leaf.name}`) }))
  }

  const policyAt = (scope: string) => {
    const tree = options.tree()
    return tree === undefined ? undefined : zoneAt(tree, scope)?.policy
  }

  /** Whether the parent holds this zone's own lane, and so may have the versions it names. */
  const mayReadIntents = (): boolean => {
    const policy = policyAt(config.scope)
    return policy?.intents === 'all' && policy['changes-author'] === 'all'
  }

  /** How much of reports this zone lets its parent have. */
  const level = () =>
    options.tree() === undefined || isOut(powers.guards, 'reports', 'policy')
      ? 'all'
      : (policyAt(config.scope)?.reports ?? 'none')

  /** What the zone exports of its own lane where its authors stay back. */
  const ownView = async (zone: string, generation: number): Promise<Uint8Array | undefined> => {
    const policy = policyAt(config.scope)
    if (policy?.intents !== 'all' || policy['changes-author'] === 'all') return undefined
    return sealZoneView({ ...turn(), zone, generation, wishes: await options.ownWishes() }, identity.signer)
  }

  const ownRollUp = async (): Promise<
    readonly (Pick<CarriedZone, 'scope' | 'bytes' | 'view' | 'heardAtMs'> & { readonly said: string })[]
  > => {
    const owner = book.ownerAt(config.scope, 'zone')
    if (owner === undefined) return []
    const isCounted = level() !== 'all'
    const rolled = await options.rows(isCounted)
    const news = isCounted ? '' : JSON.stringify([rolled.outcomes, owner.list, await options.ownWishes()])
    // With every host's own report beside it, a root over all of them at each change would be for nothing.
    if (!isCounted && up.isTold(config.scope, news)) return []
    const leaves = leavesNow()
    const said = {
      // Where every host's own report leaves, counts would be said twice.
      ...rolled,
      zone: owner.id,
      generation: owner.generation,
      leaves: leaves.length,
      root: leavesRoot(leaves, powers.authority.hash),
    }
    const bytes = sealRollUp({ ...turn(), ...said }, identity.signer)
    const view = await ownView(owner.id, owner.generation)
    const what = isCounted ? toHex(bytes) : news
    return [{ scope: config.scope, bytes, ...(view && { view }), heardAtMs: clock.monotonicMs(), said: what }]
  }

  /** Hosts as they go on to the parent: what their containers wrote last only where logs leave too. */
  const carriedUp = (): readonly CarriedHost[] => {
    if (policyAt(config.scope)?.logs === 'all') return fleet.carried()
    return fleet.carried().map(({ lines: _, ...host }) => host)
  }

  return {
    /** A new admission begins a new count. */
    onSession: (given: number) => {
      session = given
      seq = 0
      signed = undefined
      up.reset()
    },
    /**
     * Takes what a child reports. @returns whether anything is new but that it was heard again
     * @throws {SkerryError} `bad-message`, `newer-format`
     */
    take: (child: string, peerKey: string, value: unknown): boolean => {
      const { hosts, still, zones: found } = reader.read(child, peerKey, value)
      fleet.note(child, hosts)
      fleet.still(child, still)
      for (const zone of found) zones.set(zone.scope, zone)
      return hosts.length > 0 || found.length > 0
    },
    /**
     * Takes what another aggregator of this zone tells. @returns whether the parent is to hear of it now
     * @throws {SkerryError} `bad-message`, `newer-format`
     */
    takeOfFellow: (key: string, value: unknown): boolean => fellows.take(key, value) && level() === 'summary',
    /** What another aggregator is told on one link: of all that was heard here, and never of what others told. */
    tellingFellow: () => {
      const to = createReportSession()
      return async (): Promise<unknown> => {
        const nowMs = clock.monotonicMs()
        const fresh = to.freshZones([...zones.values()].map(saidOf))
        return reportMessage(to.hosts(fleet.carried(), nowMs), fresh, freshRecords(to, keyLists(true)), nowMs)
      }
    },
    /** Whether this host has anything to say that it did not sign last. */
    isNews: (): boolean => edge === undefined || ownWord(edge).text !== signed?.text,
    /** What goes up now. */
    message: async (): Promise<unknown> => {
      const nowMs = clock.monotonicMs()
      const tell = (hosts: readonly CarriedHost[]) => up.hosts(hosts, nowMs)
      if (edge) return reportMessage(tell(ownHost(edge)), [], [], nowMs)
      const parent = parentOf(config.scope)
      const lets = parent === undefined ? 'none' : level()
      if (lets === 'all') {
        const outcomes = await ownRollUp()
        // What a zone inside exports leaves this one only as its own policy says.
        const inside = [...zones.values()].map(
          ({ view, ...zone }): CarriedZone =>
            view !== undefined && policyAt(config.scope)?.intents === 'all' ? { ...zone, view } : zone,
        )
        const fresh = up.freshZones([...inside.map(saidOf), ...outcomes])
        return reportMessage(tell(carriedUp()), fresh, await recordsUp(true), nowMs)
      }
      return reportMessage(tell([]), lets === 'summary' ? await ownRollUp() : [], await recordsUp(false), nowMs)
    },
    /** Every host this node knows of. */
    hosts: (): readonly HostReport[] => (edge ? [ownReport(edge)] : fellows.reports(fleet.reports())),
    /** The same as heard on links of this node alone. */
    heardHere: (): readonly HostReport[] => (edge ? [ownReport(edge)] : fleet.reports()),
    /** What operators of a zone below want, where it exports that and not who said so. */
    wishes: (scope: string): CarriedZone['wishes'] => zonesNow().get(scope)?.wishes ?? [],
    /** What became of decisions from above in a zone below, as it said last. */
    outcomes: (scope: string): RollUp['outcomes'] => zonesNow().get(scope)?.rollUp.outcomes ?? [],
    /** Zones that let out counts alone. */
    summaries: (names: RowNames): readonly ZoneSummary[] =>
      [...zonesNow().values()].map(({ scope, rollUp, heardAtMs }) => ({
        scope,
        rows: rollUp.rows,
        receivedAgeMs: clock.monotonicMs() - heardAtMs,
        names,
      })),
    /** What the parent of a site further down says it intends. */
    intendedOrderOf: (site: string): number | undefined => {
      const orders = fellows.reports(fleet.reportsOf(site), site).flatMap((one) => one.intendedOrder ?? [])
      return orders.length === 0 ? undefined : Math.max(...orders)
    },
  }
}

export type ReportDesk = ReturnType<typeof createReportDesk>
