import { errorText, type ScopePath, SkerryError } from '../base/index.ts'
import { type BookRecord, fromHex, keyIdOf, type LaneName, type Replicator } from '../crdt/index.ts'
import type { Mesh, MeshStream } from '../mesh/index.ts'
import { parentOf, type Topology, zoneAt } from '../topologies/index.ts'
import { createBlobServer } from './blobs.ts'
import { createCatchUp } from './catch-up.ts'
import type { NodeConfig } from './config.ts'
import { createFellows, type Fellows, type LinkAnswer } from './links/index.ts'
import type { NodePowers } from './node.ts'
import type { OpenedNode } from './open-node.ts'
import { carries, policiesOf, standingByCertificate } from './reading.ts'
import {
  fellowFormat,
  fellowLimits,
  judgeFellow,
  readFellowAnswer,
  readFellowHello,
} from './services/membership/index.ts'
import { answerVersions } from './versions.ts'

export interface NodeFellowsOptions {
  readonly config: NodeConfig
  readonly powers: NodePowers
  readonly opened: OpenedNode
  readonly mesh: Mesh
  readonly replicator: Replicator
  /** The zones this node knows, with what may leave them now. */
  readonly tree: () => Topology | undefined
  /** One was linked: what waits here may be had of it. */
  readonly onLinked: () => void
  /** What one of them is told of hosts on a new link. */
  readonly telling: () => () => Promise<unknown>
  /** @param value what one of them told of hosts. @throws {SkerryError} what ends that stream */
  readonly onReports: (peerKey: string, value: unknown) => void
}

/** How long the word of another aggregator is waited for at most before sites are told anything, in milliseconds. */
const catchUpWithinMs = 10_000

type Ask = (purpose: 'versions' | 'blob', question: unknown, signal?: AbortSignal) => Promise<LinkAnswer>

/** The other aggregators of a node's zone, as the rest of the node sees them. */
export interface NodeFellows {
  start(): void
  stop(): Promise<void>
  readonly greet: Fellows['greet'] | undefined
  /** Those that are linked now, or were since this node started. */
  readonly seen: Fellows['seen']
  /** Says that there is something new to tell them of hosts. */
  readonly reportChanged: () => void
  /**
   * Whether one was just linked and what it holds is still on its way: half of what it decided, and what it told sites, looks
   * like a mistake to be put right.
   */
  isCatchingUp(): boolean
  /** Asks the parent, and where it does not answer one fellow after the other. */
  orUp(up: Ask): Ask
  /** Asks each fellow that is linked. @throws {SkerryError} only where all did */
  readonly askEach: (purpose: 'versions' | 'blob', question: unknown) => Promise<readonly LinkAnswer[]>
}

/** Lanes that all aggregators of a zone hold: the zone's own and those its parent writes for it, and those of its children. */
const isOfZone = (lane: LaneName, zone: ScopePath): boolean =>
  lane.kind !== 'tenant' && (lane.scope === zone || parentOf(lane.scope) === zone)

const none: NodeFellows = {
  start: () => {},
  stop: async () => {},
  greet: undefined,
  seen: () => [],
  isCatchingUp: () => false,
  reportChanged: () => {},
  orUp: (up) => up,
  askEach: async () => [],
}

/** Puts the other aggregators of this one's zone onto links: the same documents, and what entries lead to. */
export const createNodeFellows = (options: NodeFellowsOptions): NodeFellows => {
  const { config, powers, opened, mesh, replicator, tree } = options
  const { clock, authority } = powers
  const { book, identity, membership, networkId } = opened
  const zone = powers.topology && zoneAt(powers.topology, config.scope)
  if (config.role !== 'aggregator' || (zone?.hosts.length ?? 0) < 2) return none
  const log = powers.log.child('fellows')
  const catchUp = createCatchUp({ clock, withinMs: catchUpWithinMs, onCaughtUp: () => options.onLinked() })
  /** What each one showed last: judged anew when something is known anew. */
  const shown = new Map<string, Uint8Array>()

  const judge = (certificate: Uint8Array, peerKey: string): ReturnType<typeof judgeFellow> => {
    const trust = book.trust()
    if (trust === undefined) return { ok: false, code: 'not-ready', message: 'this node is no member itself yet' }
    const question = {
      certificate,
      peerKey,
      scope: config.scope,
      owner: book.ownerAt(config.scope, 'zone'),
      trust,
      highestNumbers: book.highestNumbers(),
      keyIdOf: (key: string) => keyIdOf(fromHex(key), authority.hash),
    }
    return judgeFellow(question, authority)
  }
  const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))
  const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
  const ownCertificate = () => book.certificateOf(identity.signer.keyId)
  const take = async (certificate: Uint8Array, peerKey: string) => {
    shown.set(peerKey, certificate)
    await book.take([certificate])
  }

  const keepSame = async (stream: MeshStream, key: string, isCaller: boolean): Promise<void> => {
    const shares = (lane: LaneName) => isOfZone(lane, config.scope)
    const session = replicator.serve(stream, {
      key,
      scope: config.scope,
      mayRead:
        powers.mayRead ??
        ((lane) =>
          shares(lane) &&
          carries(lane, standingByCertificate(key, book, authority), {
            isSite: false,
            policies: policiesOf(tree()),
            trustedNowMs: undefined,
          })),
      mayBring: shares,
      recordsFor: isCaller ? undefined : config.scope,
    })
    const caughtUp = catchUp.begin()
    void session.inSync.then(() => {
      membership.metFellow().catch((error: unknown) => log.warn('lanes were not begun', { error: errorText(error) }))
      caughtUp()
    })
    await session.done.finally(caughtUp)
  }

  const server = createBlobServer({ store: powers.blobs, log, mayHave: () => true })
  const fellows = createFellows({
    mesh,
    clock,
    random: powers.random.fork('fellows'),
    log,
    peerKey: identity.peerKey,
    addresses: config.fellows.length > 0 ? config.fellows : (zone?.addresses ?? []),
    helloBytes: fellowLimits.helloBytes,
    answerBytes: fellowLimits.answerBytes,
    hello: () => {
      const own = ownCertificate()
      return own && { v: fellowFormat, network: networkId, certificate: textOf(own.bytes) }
    },
    judge: async (said, peerKey) => {
      const hello = readFellowHello(said)
      const own = ownCertificate()
      const refused = { isFellow: false, answer: { v: fellowFormat, kind: 'refused' } }
      if (hello === undefined || hello.network !== networkId || own === undefined) return refused
      const certificate = bytesOf(hello.certificate)
      const judged = judge(certificate, peerKey)
      if (!judged.ok) {
        log.info('a caller is no aggregator of this zone', { peer: peerKey.slice(0, 16), why: judged.message })
        return refused
      }
      await take(certificate, peerKey)
      const records = book.recordsFor(config.scope).slice(0, fellowLimits.records)
      const answer = {
        v: fellowFormat,
        kind: 'welcome',
        certificate: textOf(own.bytes),
        records: records.map(({ bytes }) => textOf(bytes)),
      }
      return { isFellow: true, answer }
    },
    accept: async (said, peerKey) => {
      const answer = readFellowAnswer(said)
      if (answer === undefined) throw new SkerryError('bad-message', 'an aggregator answered with something else')
      if (answer.kind === 'refused')
        throw new SkerryError('refused', 'the other aggregator does not take this one for one of its zone yet')
      // Judged one by one; among them may be the key list that its certificate rests on.
      await book.take(answer.records.map(bytesOf))
      const certificate = bytesOf(answer.certificate)
      const judged = judge(certificate, peerKey)
      if (!judged.ok) throw new SkerryError(judged.code, judged.message)
      await take(certificate, peerKey)
    },
    onDocuments: keepSame,
    telling: options.telling,
    onReports: options.onReports,
    onQuestion: async (purpose, peerKey, question, signal) =>
      purpose === 'blob'
        ? server.answer(peerKey, question, signal)
        : answerVersions(question, { book, mayHave: () => true, specification: async () => undefined }),
  })

  const recheck = (records: readonly BookRecord[]) => {
    if (!records.some(({ kind }) => kind === 'block-list' || kind === 'key-list')) return
    fellows.recheck((peerKey) => judge(shown.get(peerKey) ?? new Uint8Array(), peerKey).ok)
  }
  const stopListening = book.onChange(recheck)

  const askEach: NodeFellows['askEach'] = async (purpose, question) => {
    const asked = await Promise.allSettled(fellows.linked().map((key) => fellows.ask(key, purpose, question)))
    return asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  }
  return {
    start: fellows.start,
    stop: async () => {
      stopListening()
      await fellows.stop()
    },
    greet: fellows.greet,
    isCatchingUp: catchUp.isWaiting,
    seen: fellows.seen,
    reportChanged: fellows.reportChanged,
    orUp: (up) => async (purpose, question, signal) => {
      try {
        return await up(purpose, question, signal)
      } catch (error) {
        for (const key of fellows.linked()) {
          if (signal?.aborted) break
          try {
            return await fellows.ask(key, purpose, question, signal)
          } catch {
            // The parent's refusal says more.
          }
        }
        throw error
      }
    },
    askEach,
  }
}
