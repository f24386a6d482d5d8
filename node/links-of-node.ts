import { errorText, type Log, type ScopePath, SkerryError } from '../base/index.ts'
import type { AuthorityPowers, Book, LaneName, Replicator, Standing } from '../crdt/index.ts'
import type { Mesh, MeshStream } from '../mesh/index.ts'
import { parentOf, type Topology } from '../topologies/index.ts'
import type { BlobServer } from './blobs.ts'
import type { NodeConfig } from './config.ts'
import { isOut } from './guards.ts'
import {
  createDownlinks,
  createUplink,
  type Downlinks,
  type Fellows,
  hostReportEveryMs,
  type Uplink,
} from './links/index.ts'
import type { NodePowers } from './node.ts'
import { carries, getsUp, isShared, policiesOf, standingByCertificate } from './reading.ts'
import type { Membership } from './services/membership/index.ts'
import { answerVersions } from './versions.ts'

export interface LinksOptions {
  readonly config: NodeConfig
  readonly powers: NodePowers
  readonly mesh: Mesh
  /** The zones this node knows, with what may leave them now. */
  readonly tree: () => Topology | undefined
  readonly book: Book
  readonly membership: Membership
  readonly replicator: Replicator
  readonly trustedNowMs: () => number | undefined
  readonly blobServer: BlobServer
  /** Whether a version stands in an entry that the child may read. */
  readonly mayHaveVersion: (child: string, id: string) => boolean
  /** The bytes of a specification; undefined when it is not held here. */
  readonly specification: (revision: string) => Promise<Uint8Array | undefined>
  readonly onReports: (child: string, peerKey: string, value: unknown) => void
  readonly report: () => Promise<unknown>
  /** Whether what it says is about to change again. */
  readonly isChanging: () => boolean
  readonly onRequest: (
    question: unknown,
    signal: AbortSignal,
  ) => Promise<{ head: unknown; body?: AsyncIterable<Uint8Array> }>
  /** A session the parent gave. */
  readonly onSession: (session: number) => void
  /** A child came or went, or the parent did. @param linkedKey the key of a child that came */
  readonly onChange: (linkedKey?: string) => void
  /** Takes what the parent leaves for another site. */
  readonly onDeposit?: (question: unknown, parentKey: string) => Promise<{ head: unknown }>
  readonly onParent: (isUp: boolean) => void
  /** Hears a caller that says it is another aggregator of this zone. */
  readonly onFellow?: Fellows['greet'] | undefined
}

export interface NodeLinks {
  readonly uplink: Uplink
  readonly downlinks: Downlinks | undefined
  /** The session an admitted child was given last. */
  sessionOf(peerKey: string): number | undefined
}

/** Puts membership, replication and questions onto the links of a node. */
export const createNodeLinks = (options: LinksOptions): NodeLinks => {
  const { config, powers, mesh, book, membership, replicator, trustedNowMs } = options
  const { clock, log } = powers
  const authority: AuthorityPowers = powers.authority
  const sessions = new Map<string, number>()

  const keepSame = async (
    stream: MeshStream,
    peer: {
      readonly key: string
      readonly scope: ScopePath
      readonly isSite: boolean
      /** The scope of the upper end of the link. */
      readonly parent: ScopePath
      readonly shares: (lane: LaneName) => boolean
      readonly standing: () => Standing | undefined
      readonly recordsFor: string | undefined
      /** The time by which its dates are judged: a parent judges its children's, nobody those of a parent. */
      readonly datesAtMs: () => number | undefined
    },
    streamLog: Log,
  ): Promise<void> => {
    const mayRead =
      powers.mayRead ??
      ((lane: LaneName) =>
        peer.shares(lane) &&
        (peer.isSite || getsUp(lane, peer.parent, policiesOf(options.tree()))) &&
        carries(lane, peer.standing(), {
          isSite: peer.isSite,
          policies: policiesOf(options.tree()),
          trustedNowMs: peer.datesAtMs(),
        }))
    const { key, scope, shares: mayBring, recordsFor } = peer
    const session = replicator.serve(stream, { key, scope, mayRead, mayBring, recordsFor })
    await session.done.catch((error: unknown) => {
      streamLog.warn('documents are kept the same no longer', { peer: key.slice(0, 16), error: errorText(error) })
      throw error
    })
  }

  const childScope = (peerKey: string) => {
    const member = membership.memberOf(peerKey)
    if (member === undefined) throw new SkerryError('not-a-child', 'the key is of no child of this node')
    return { ...member, scope: member.scope as ScopePath }
  }

  const downlinks =
    config.role === 'edge'
      ? undefined
      : createDownlinks({
          mesh,
          clock,
          log: log.child('downlinks'),
          judge: async (hello, peerKey) => {
            const answer = await membership.judge(hello, peerKey)
            if (answer.kind !== 'admitted') return { answer, child: undefined }
            sessions.set(peerKey, answer.session)
            return { answer, child: { name: answer.self.name } }
          },
          onDocuments: (stream, peerKey) => {
            const { scope, role } = childScope(peerKey)
            return keepSame(
              stream,
              {
                key: peerKey,
                scope,
                isSite: role === 'edge',
                parent: config.scope,
                shares: (lane) => isShared(lane, config.scope, scope),
                standing: () => membership.standingOf(peerKey),
                recordsFor: scope,
                datesAtMs: trustedNowMs,
              },
              log.child('downlinks'),
            )
          },
          onReports: options.onReports,
          ...(options.onFellow && { onFellow: options.onFellow }),
          onQuestion: async (purpose, peerKey, question, signal) => {
            const { scope } = childScope(peerKey)
            if (purpose === 'blob') return options.blobServer.answer(peerKey, question, signal)
            const mayHave = (id: string) => options.mayHaveVersion(scope, id)
            const isOpen = isOut(powers.guards, 'links', 'version-named')
            const { specification } = options
            return answerVersions(question, { book, mayHave: isOpen ? () => true : mayHave, specification })
          },
          onChange: options.onChange,
        })

  const ownParent = parentOf(config.scope) ?? ('/' as ScopePath)
  const uplink = createUplink({
    mesh,
    parents: config.parents,
    clock,
    random: powers.random.fork('uplink'),
    log: log.child('uplink'),
    hello: (parentKey) => membership.hello(parentKey),
    accept: async (answer, peerKey) => {
      const accepted = await membership.accept(answer, peerKey)
      if (!accepted.ok) return accepted
      options.onSession(accepted.session)
      return { ok: true, parent: accepted.parent.name }
    },
    onDocuments: (stream, peerKey) =>
      keepSame(
        stream,
        {
          key: peerKey,
          scope: config.scope,
          isSite: config.role === 'edge',
          parent: ownParent,
          shares: (lane) => isShared(lane, ownParent, config.scope),
          standing: () => standingByCertificate(peerKey, book, authority),
          recordsFor: undefined,
          datesAtMs: () => undefined,
        },
        log.child('uplink'),
      ),
    report: options.report,
    isChanging: options.isChanging,
    reportEveryMs: config.role === 'edge' ? hostReportEveryMs : undefined,
    callsAgain: !isOut(powers.guards, 'links', 'calls-again'),
    onRequest: options.onRequest,
    ...(options.onDeposit && { onDeposit: options.onDeposit }),
    onChange: (isUp) => {
      options.onParent(isUp)
      options.onChange()
    },
  })

  membership.onChange(({ cut }) => {
    downlinks?.cut(cut)
    if (cut.length > 0) uplink.cut(cut)
  })
  return { uplink, downlinks, sessionOf: (peerKey) => sessions.get(peerKey) }
}
