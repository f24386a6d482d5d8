import { SkerryError } from '../base/index.ts'
import {
  type Book,
  bookLimits,
  bookPrefix,
  createBook,
  createDocuments,
  createParking,
  type Documents,
  toHex,
} from '../crdt/index.ts'
import { zoneAt } from '../topologies/index.ts'
import type { NodeConfig } from './config.ts'
import { openTowerAuthority, type TowerAuthority } from './founding.ts'
import { isOut } from './guards.ts'
import { type Identity, type KeptKey, loadIdentity } from './identity.ts'
import type { NodePowers } from './node.ts'
import { createMembership, type ExpectedScope, expectedBelow, type Membership } from './services/membership/index.ts'
import { createTrustedTime, type TrustedTime } from './trusted-time.ts'
import { openZoneAuthority } from './zone-founding.ts'

/** What a node has on disk, opened: who it is, whom it believes, the lanes it holds. */
export interface OpenedNode {
  readonly identity: Identity
  readonly book: Book
  readonly time: TrustedTime
  /** A tower's alone. */
  readonly keys: TowerAuthority | undefined
  /** 64 hexadecimal digits. */
  readonly networkId: string
  readonly documents: Documents
  /** Ids of lanes that were found damaged. */
  readonly damaged: readonly string[]
  readonly membership: Membership
  /** Scopes directly below. */
  readonly expected: () => readonly ExpectedScope[]
}

/** No bound, for a proof. */
const endless = Number.MAX_SAFE_INTEGER

/**
 * A tower whose records cannot be believed any more must not found another network in place of the one it had.
 * @throws {SkerryError} `damaged-network`
 */
const refuseLostNetwork = async ({ role, name }: NodeConfig, { store }: NodePowers): Promise<void> => {
  if (role !== 'tower') return
  for await (const { key } of store.scan({ prefix: bookPrefix, limit: 1 }))
    throw new SkerryError(
      'damaged-network',
      `${name} cannot read the root document of its network, and holds records like ${key}: the disk spoiled it and its second copy; restore the store from a backup`,
    )
}

/** @throws {SkerryError} `no-network`, `no-authority`, `damaged-network`, and as the store and the book */
export const openNode = async (config: NodeConfig, powers: NodePowers): Promise<OpenedNode> => {
  const { clock, log, random, store, authority, stateFile, topology, guards } = powers
  const identity = loadIdentity(stateFile<KeptKey>('key'), random.fork('key'), authority.signatures)
  await store.open()
  const book = createBook({
    store,
    powers: authority,
    log: log.child('book'),
    ...(config.networkId !== '' && { networkId: config.networkId }),
    ...(guards?.book && { guards: guards.book }),
    ...(isOut(guards, 'bounds', 'versions') && { limits: { ...bookLimits, versionsPerDeployment: endless } }),
  })
  await book.open()
  const time = createTrustedTime({ clock, book, isOwnTrusted: powers.isTimeTrusted })
  const founding = { stateFile, random, authority, trustedNowMs: time.nowMs }
  if (book.networkId() === undefined) await refuseLostNetwork(config, powers)
  const keys = config.role === 'tower' ? await openTowerAuthority(identity, config.name, book, founding) : undefined
  const networkId = book.networkId() ?? config.networkId
  if (networkId === '')
    throw new SkerryError(
      'no-network',
      `${config.name} has joined no network yet: give --network-id; "skerry hosts" at its parent shows it`,
    )
  const firstList =
    config.role === 'aggregator'
      ? await openZoneAuthority({
          scope: config.scope,
          topology,
          networkId,
          signer: identity.signer,
          book,
          powers: authority,
          stateFile,
        })
      : undefined
  const documents = createDocuments({
    store,
    networkId: () => networkId,
    powers: authority,
    random: random.fork('documents'),
    log: log.child('documents'),
    ...(guards?.sealing && { sealing: guards.sealing }),
    ...(isOut(guards, 'bounds', 'waiting-changes') && {
      parking: createParking({ authorCount: endless, authorBytes: endless, totalBytes: endless }),
    }),
  })
  const { damaged } = await documents.open()
  if (damaged.length > 0)
    log.warn('stored documents are damaged: what is missing comes back from a peer', { documents: damaged.length })
  const expected = () => (topology === undefined ? [] : expectedBelow(topology, config.scope))
  const ownZone = topology === undefined ? undefined : zoneAt(topology, config.scope)
  const membership = createMembership({
    self: {
      name: config.name,
      role: config.role,
      scope: config.scope,
      hostId: powers.hostId,
      signer: identity.signer,
      sealing: toHex(identity.reader.publicKey),
    },
    networkId: config.networkId === '' ? undefined : config.networkId,
    tokens: powers.joinTokens,
    expected,
    ...(firstList && { firstList }),
    ...(config.role === 'aggregator' && ownZone && { ownZone }),
    ...(keys && { tenants: keys.tenants, beacon: keys.beacon }),
    isKnownZone: (scope) => topology !== undefined && zoneAt(topology, scope) !== undefined,
    trustedNowMs: time.nowMs,
    book,
    documents,
    store,
    clock,
    random: random.fork('membership'),
    powers: authority,
    joinGuards: guards?.join,
    helloGuards: guards?.hello,
    log: log.child('membership'),
  })
  return { identity, book, time, keys, networkId, documents, damaged, membership, expected }
}
