import { type Random, randomHex } from '../../../base/index.ts'
import {
  type AuthorityPowers,
  beaconKind,
  certificateKind,
  delegationKind,
  type KeyList,
  keyListKind,
  rootKind,
  type SignedRecord,
  type Signer,
  sealRecord,
  seedBytes,
  toHex,
} from '../../../crdt/index.ts'
import { capabilitiesOf } from './member-certificate.ts'

export interface FoundingOptions {
  /** Chance of the system: what is drawn here are keys. */
  readonly random: Random
  readonly powers: AuthorityPowers
  /** The tower's own key. */
  readonly tower: Signer
  /** The name of the tower's host. */
  readonly towerName: string
  /** Milliseconds since 1970 where time is trusted. */
  readonly trustedNowMs: number | undefined
  /** @default 7776000000 (90 days), in milliseconds */
  readonly validityMs?: number
}

/** A network as it begins. Seeds are secret, 32 bytes each. */
export interface Founded {
  /** 64 hexadecimal digits: the hash of the first root document. */
  readonly networkId: string
  /** To be kept away from the network: whoever has it can make a new one of everything below. */
  readonly rootSeed: Uint8Array
  /** Signs beacons only; stays online at the tower. */
  readonly beaconSeed: Uint8Array
  /** The tenant every application belongs to that names none. */
  readonly tenant: { readonly id: string; readonly seed: Uint8Array }
  /** The id of the owner of `/`. */
  readonly owner: string
  /** For a book, in an order in which each can be judged. */
  readonly records: readonly Uint8Array[]
}

export const defaultValidityMs = 90 * 24 * 60 * 60 * 1_000

/**
 * Makes the root, the owner of `/` with the tower's key, the tenant `default` at home in `/`, its delegation to the tower,
 * the tower's certificate and the first beacon. Does no I/O: nothing exists until the records are taken into a book and the
 * seeds are kept. The same chance and key give the same network.
 */
export const foundNetwork = (options: FoundingOptions): Founded => {
  const { powers, random, tower, towerName, validityMs = defaultValidityMs } = options
  const draw = (name: string) => {
    const seed = random.fork(name).bytes(seedBytes)
    return { seed, signer: powers.signatures.signer(seed) }
  }
  const [root, beacon, tenant] = [draw('root'), draw('beacon'), draw('tenant-default')]
  const [owner, tenantId] = [randomHex(random.fork('owner'), 16), randomHex(random.fork('tenant-id'), 16)]
  const keyOf = ({ publicKey }: Signer) => toHex(publicKey)
  const first = sealRecord(
    rootKind,
    {
      network: null,
      number: 1,
      previous: null,
      keys: [keyOf(root.signer)],
      threshold: 1,
      beacon: keyOf(beacon.signer),
    },
    [root.signer],
    powers,
  )
  const network = first.id
  const listOf = (role: KeyList['role'], id: string, key: Signer, grantor: Signer): SignedRecord<KeyList> =>
    sealRecord(
      keyListKind,
      {
        network,
        owner: id,
        role,
        scope: '/',
        succession: 'granted',
        generation: 1,
        previous: null,
        keys: [keyOf(key)],
        threshold: 1,
      },
      [grantor],
      powers,
    )
  const fromMs = options.trustedNowMs ?? 0
  const delegation = {
    network,
    tenant: tenantId,
    generation: 1,
    key: keyOf(tower),
    scope: '/',
    number: 1,
    isGranted: true,
  }
  const certificate = {
    network,
    key: keyOf(tower),
    role: 'tower' as const,
    scope: '/',
    site: null,
    host: towerName,
    capabilities: capabilitiesOf('tower'),
    issuer: owner,
    generation: 1,
    number: 1,
    sealing: null,
    fromMs,
    untilMs: fromMs + validityMs,
  }
  const generations = { [owner]: 1, [tenantId]: 1 }
  const records = [
    first,
    listOf('zone', owner, tower, root.signer),
    listOf('tenant', tenantId, tenant.signer, tower),
    sealRecord(delegationKind, delegation, [tenant.signer], powers),
    sealRecord(certificateKind, certificate, [tower], powers),
    sealRecord(
      beaconKind,
      { network, counter: 1, timeMs: fromMs, generations, blockList: null },
      [beacon.signer],
      powers,
    ),
  ]
  return {
    networkId: network,
    rootSeed: root.seed,
    beaconSeed: beacon.seed,
    tenant: { id: tenantId, seed: tenant.seed },
    owner,
    records: records.map(({ bytes }) => bytes),
  }
}
