import { errorText, type ScopePath, SkerryError } from '../base/index.ts'
import { blockedAt, nodeSealing } from '../crdt/index.ts'
import type { Mesh } from '../mesh/index.ts'
import { parentOf } from '../topologies/index.ts'
import type { BlobQuestion } from './blobs.ts'
import type { NodeConfig } from './config.ts'
import type { Uplink } from './links/index.ts'
import type { NodeLinks } from './links-of-node.ts'
import type { NodePowers } from './node.ts'
import type { OpenedNode } from './open-node.ts'
import { isShared } from './reading.ts'
import type { SiteIntent } from './services/deployments/index.ts'
import { readListedScope } from './services/membership/index.ts'
import type { DepositLeaver, KeeperOptions, SiblingDesk, SiblingKeeper } from './siblings/index.ts'

export interface SiblingsOptions {
  readonly config: NodeConfig
  readonly powers: NodePowers
  readonly opened: OpenedNode
  readonly mesh: Mesh
  readonly links: () => NodeLinks
  /** What an edge accepted; undefined elsewhere and before the first. */
  readonly accepted: () => SiteIntent | undefined
  /** A sibling was reached: what waits for bytes may ask again. */
  readonly onReached: () => void
}

/** Siblings as the rest of a node sees them. Each role has its part of it; what is not needed is not loaded. */
export interface NodeSiblings {
  start(): void
  stop(): Promise<void>
  /** A child was linked. */
  onLinked(peerKey: string): void
  /** The parent was linked or lost. */
  onParent(isUp: boolean): void
  /** What a parent leaves here for another site. */
  readonly onDeposit: (question: unknown, parentKey: string) => Promise<{ readonly head: unknown }>
  /** Asks the parent, and siblings for a blob while the parent is away. */
  orUp(up: Uplink['ask']): Uplink['ask']
  /** Sites right below for which siblings do not keep all they should; undefined where no site has siblings. */
  owed(): readonly string[] | undefined
  /** What to say of siblings beside a parent that is away; undefined while there is nothing to say. */
  words(): { readonly repairedForMs: number } | { readonly none: string } | undefined
}

/** A parent that is away for so long, and up to a quarter more, is not waited for any longer; in milliseconds. */
const siblingAfterMs = 10_000

export const createNodeSiblings = (options: SiblingsOptions): NodeSiblings => {
  const { config, powers, opened, mesh } = options
  const { clock, store, authority } = powers
  const { book, documents, identity, membership, networkId } = opened
  const log = powers.log.child('siblings')
  const random = powers.random.fork('siblings')
  const zone = parentOf(config.scope) ?? ('/' as ScopePath)
  const code = () => import('./siblings/index.ts')
  let leaver: DepositLeaver | undefined
  let keeper: Promise<SiblingKeeper> | undefined
  let desk: SiblingDesk | undefined
  let isStopped = false
  let isParentUp = false
  /** The parent named no siblings, when they were looked for. */
  let isAlone = false
  let waiting: { cancel(): void } | undefined

  const keeperOptions: KeeperOptions = {
    mesh,
    clock,
    random,
    log,
    networkId,
    keyId: identity.signer.keyId,
    book,
    powers: authority,
    store,
    blobs: powers.blobs,
    standing: () => {
      const trust = book.trust()
      return trust && { networkId, zone: book.ownerAt(zone, 'zone'), blocked: blockedAt(trust, zone) }
    },
    held: () =>
      (options.accepted()?.applications ?? []).flatMap((one) => {
        // Of the tenant that signed it: another one's applications may name the same bytes, and are to learn nothing by it.
        const tenant = one.origin && book.version(one.origin.version)?.body.tenant
        if (one.phase !== 'run' || tenant === undefined) return []
        return [`sha256:${one.revision}`, ...one.images.map(({ archive }) => archive)].map((digest) => ({
          tenant,
          digest,
        }))
      }),
  }
  const keep = (): Promise<SiblingKeeper> => {
    keeper ??= code().then(({ createSiblingKeeper }) => createSiblingKeeper(keeperOptions))
    return keeper
  }

  const peers = async () => {
    const lane = documents.idOf({ kind: 'member', scope: config.scope })
    return lane === undefined ? [] : readListedScope(await documents.standing(lane)).peers
  }
  const begin = async (): Promise<void> => {
    isAlone = (await peers()).length === 0
    // Nobody to call: the code for it is not worth its memory.
    if (isAlone && desk === undefined) return
    const { createSiblingDesk } = await code()
    if (isStopped || isParentUp) return
    desk ??= createSiblingDesk({
      mesh,
      clock,
      random,
      log,
      networkId,
      scope: config.scope,
      zone,
      keyId: identity.signer.keyId,
      peerKey: identity.peerKey,
      reader: identity.reader,
      book,
      documents,
      powers: authority,
      mayBring: (lane) => isShared(lane, zone, config.scope),
      peers,
      onReached: options.onReached,
    })
    desk.begin()
  }
  const parentLost = () => {
    if (config.role !== 'edge' || isStopped || waiting !== undefined) return
    waiting = clock.setTimer(siblingAfterMs * (1 + random.unit() / 4), () => {
      waiting = undefined
      begin().catch((error: unknown) => log.warn('siblings cannot be asked', { error: errorText(error) }))
    })
  }

  if (config.role === 'edge' && config.meshListen.length > 0)
    mesh.onLink((link) => {
      keep().then(
        ({ door }) => door.accept(link),
        () => link.close(),
      )
    })

  return {
    start: () => {
      if (config.role === 'edge') return parentLost()
      if (!opened.expected().some(({ siblings = [] }) => siblings.length > 0)) return
      void code().then(({ createDepositLeaver }) => {
        if (isStopped) return
        leaver = createDepositLeaver({
          networkId,
          scope: config.scope,
          signer: identity.signer,
          powers: authority,
          sealing: nodeSealing,
          random,
          clock,
          log,
          store,
          documents,
          book,
          membership,
          sites: () => opened.expected().flatMap(({ kind, scope }) => (kind === 'site' ? [scope] : [])),
          isLinked: (key) => options.links().downlinks?.isLinked(key) ?? false,
          tell: async (key, message, signal) => {
            const { downlinks } = options.links()
            if (downlinks === undefined) throw new SkerryError('link-down', 'this node has no children')
            return downlinks.leave(key, message, signal)
          },
        })
        leaver.start()
      })
    },
    stop: async () => {
      isStopped = true
      waiting?.cancel()
      await leaver?.stop()
      await desk?.stop()
      await keeper?.then(({ stop }) => stop()).catch(() => undefined)
    },
    onLinked: (peerKey) => leaver?.linked(peerKey),
    onParent: (isUp) => {
      isParentUp = isUp
      isAlone = false
      if (!isUp) return parentLost()
      waiting?.cancel()
      waiting = undefined
      desk?.end()
    },
    onDeposit: async (question, parentKey) => (await keep()).take(question, parentKey),
    orUp: (up) => (purpose, question, signal) =>
      isParentUp || desk === undefined || purpose !== 'blob'
        ? up(purpose, question, signal)
        : desk.ask(question as BlobQuestion, signal),
    owed: () => leaver?.owed(),
    words: () => {
      if (isParentUp) return undefined
      if (desk === undefined) return isAlone ? { none: 'the parent named none' } : undefined
      const state = desk.state()
      if (state.kind === 'waiting') return undefined
      return state.kind === 'repaired' ? { repairedForMs: state.forMs } : { none: state.reason }
    },
  }
}
