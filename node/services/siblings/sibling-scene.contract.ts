import {
  acceptFirstRoot,
  type Blocked,
  type BlockList,
  blockedAt,
  blockListKind,
  type Certificate,
  certificateKind,
  createKeyedSignatures,
  type Deposit,
  depositKind,
  keyListKind,
  nodeHash,
  type Owner,
  rootKind,
  type Signer,
  sealRecord,
  type Trust,
  takeKeyLists,
  toHex,
} from '../../../crdt/index.ts'
import type { DepositDesk } from './judge-deposit.ts'

/** A tower, two zones and the keys of hosts in them, for tests. */
export const powers = { signatures: createKeyedSignatures(), hash: nodeHash }
export const keyNamed = (name: string): Signer => powers.signatures.signer(nodeHash.sha256(Buffer.from(name)))
export const peerNamed = (name: string): string => toHex(keyNamed(name).publicKey)
export const idNamed = (name: string): string => toHex(nodeHash.sha256(Buffer.from(name))).slice(0, 32)

const root = sealRecord(
  rootKind,
  { network: null, number: 1, previous: null, keys: [peerNamed('root')], threshold: 1, beacon: null },
  [keyNamed('root')],
  powers,
)
export const networkId = root.id

const listOf = (scope: string, keys: readonly string[], signer: string) =>
  sealRecord(
    keyListKind,
    {
      network: networkId,
      owner: idNamed(scope),
      role: 'zone' as const,
      scope,
      succession: 'granted' as const,
      generation: 1,
      previous: null,
      keys: keys.map(peerNamed).toSorted(),
      threshold: 1,
    },
    [keyNamed(signer)],
    powers,
  )

/** @param blocked keys by name, and names of sites, that the south blocks */
export const trustOf = (
  blocked: { readonly keys?: readonly string[]; readonly sites?: readonly string[] } = {},
): Trust => {
  const first = acceptFirstRoot(root, networkId, powers)
  if (!first.ok) throw new Error(first.refusal.message)
  const list: Omit<BlockList, 'kind'> = {
    network: networkId,
    issuer: idNamed('/south'),
    number: 1,
    keys: (blocked.keys ?? []).map((name) => keyNamed(name).keyId).toSorted(),
    sites: (blocked.sites ?? []).map(idNamed).toSorted(),
    tenants: [],
  }
  const blockLists = [sealRecord(blockListKind, list, [keyNamed('south-agg')], powers)]
  const empty: Trust = { root: first.root, owners: new Map(), anchors: new Map(), retired: new Set(), blockLists }
  const { trust, refused } = takeKeyLists(
    empty,
    [
      listOf('/', ['tower'], 'root'),
      listOf('/south', ['south-agg', 'south-agg-2'], 'tower'),
      listOf('/north', ['north-agg'], 'tower'),
    ],
    powers,
  )
  if (refused.length > 0) throw new Error(JSON.stringify(refused))
  return trust
}

const ownerAt = (trust: Trust, scope: string): Owner => {
  const owner = trust.owners.get(idNamed(scope))
  if (owner === undefined) throw new Error(scope)
  return owner
}

/** What a host in the south knows. */
export const deskOf = (trust: Trust = trustOf()): DepositDesk & { readonly blocked: Blocked } => ({
  networkId,
  zone: ownerAt(trust, '/south'),
  blocked: blockedAt(trust, '/south'),
})

export const sealedOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))

/** @param change.signer who signs it; the south's aggregator otherwise */
export const depositOf = (
  reader: string,
  number: number,
  {
    signer = 'south-agg',
    sealed = sealedOf(`${reader} ${number}`),
    ...change
  }: Partial<Omit<Deposit, 'sealed'>> & {
    readonly signer?: string
    readonly sealed?: Uint8Array
  } = {},
) => {
  const body = {
    network: networkId,
    zone: idNamed('/south'),
    site: idNamed(`site of ${reader}`),
    reader: peerNamed(reader),
    number,
    ...change,
    sealed: toHex(nodeHash.sha256(sealed)),
  }
  return { record: sealRecord(depositKind, body, [keyNamed(signer)], powers).bytes, sealed }
}

export const certificateOf = (host: string, change: Partial<Certificate> = {}, signer = 'south-agg') =>
  sealRecord(
    certificateKind,
    {
      network: networkId,
      key: peerNamed(host),
      role: 'edge' as const,
      scope: `/south/${host}`,
      site: idNamed(host),
      host,
      capabilities: ['join', 'report', 'store', 'write'],
      issuer: idNamed('/south'),
      generation: 1,
      number: 1,
      sealing: null,
      fromMs: 1_000,
      untilMs: 2_000,
      ...change,
    },
    [keyNamed(signer)],
    powers,
  )
