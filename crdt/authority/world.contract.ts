import { parseScopePath } from '../../base/index.ts'
import type { BlockList } from './block-list.ts'
import { type Certificate, certificateKind } from './certificate.ts'
import { type Anchors, type Trust, takeKeyLists } from './chain.ts'
import { type KeyList, keyListKind, ownerOf } from './key-list.ts'
import { createKeyedSignatures } from './keyed-signatures.ts'
import { nodeHash } from './node-signatures.ts'
import { type SignedRecord, sealRecord } from './record.ts'
import { acceptFirstRoot, type Root, rootKind } from './root.ts'
import { type Signer, toHex } from './signatures.ts'

/** A small tree of owners for tests: keys by name, everything else by default. */
export const powers = { signatures: createKeyedSignatures(), hash: nodeHash }
export const scope = parseScopePath

/** The key called `name`: the same each time. */
export const keyNamed = (name: string): Signer => powers.signatures.signer(nodeHash.sha256(Buffer.from(name)))
export const publicKeys = (names: readonly string[]): string[] =>
  names.map((name) => toHex(keyNamed(name).publicKey)).toSorted()
export const idNamed = (name: string): string => toHex(nodeHash.sha256(Buffer.from(name))).slice(0, 32)

export const makeRoot = (
  names: readonly string[],
  threshold: number,
  { previous, signers = names }: { previous?: SignedRecord<Root>; signers?: readonly string[] } = {},
): SignedRecord<Root> => {
  const network = previous === undefined ? null : (previous.body.network ?? previous.id)
  const number = (previous?.body.number ?? 0) + 1
  const beacon = publicKeys(['beacon'])[0] ?? null
  const body = { network, number, previous: previous?.id ?? null, keys: publicKeys(names), threshold, beacon }
  return sealRecord(rootKind, body, signers.map(keyNamed), powers)
}

export const firstRoot = makeRoot(['root'], 1)
export const networkId = firstRoot.id

export const makeList = (
  at: string,
  names: readonly string[],
  signers: readonly string[],
  change: Partial<KeyList> = {},
): SignedRecord<KeyList> => {
  const granted = { owner: idNamed(at), role: 'zone', succession: 'granted', generation: 1, threshold: 1 } as const
  const body = { network: networkId, scope: at, previous: null, keys: publicKeys(names), ...granted, ...change }
  return sealRecord(keyListKind, body, signers.map(keyNamed), powers)
}

/** The tower's zone, two ordinary zones, a privacy zone with two of three keys, a site in each, and a tenant. */
export const bavaria = makeList('/de/bavaria', ['by1', 'by2', 'by3'], ['by1', 'by2', 'de'], {
  owner: null,
  succession: 'own',
  threshold: 2,
})
export const bavariaId = ownerOf(bavaria)
export const lists: readonly SignedRecord<KeyList>[] = [
  makeList('/', ['tower', 'tower-2'], ['root']),
  makeList('/de', ['de'], ['tower']),
  makeList('/de/hesse', ['hesse'], ['de']),
  makeList('/de/hesse/fulda', ['fulda-a', 'fulda-b'], ['hesse'], { role: 'site' }),
  bavaria,
  makeList('/de/bavaria/munich', ['munich'], ['by1', 'by3'], { role: 'site' }),
  makeList('/', ['tenant'], ['tower'], { role: 'tenant', owner: idNamed('shop') }),
]

export const trustOf = (
  some: readonly SignedRecord<KeyList>[] = lists,
  {
    anchors = new Map(),
    retired = [],
    blockLists = [],
  }: { anchors?: Anchors; retired?: readonly string[]; blockLists?: readonly SignedRecord<BlockList>[] } = {},
) => {
  const first = acceptFirstRoot(firstRoot, networkId, powers)
  if (!first.ok) throw new Error(first.refusal.message)
  const empty: Trust = { root: first.root, owners: new Map(), anchors, retired: new Set(retired), blockLists }
  return takeKeyLists(empty, some, powers)
}

export const makeCertificate = (
  at: string,
  key: string,
  signer: string,
  change: Partial<Certificate> = {},
): SignedRecord<Certificate> =>
  sealRecord(
    certificateKind,
    {
      network: networkId,
      key: publicKeys([key])[0] ?? '',
      role: 'aggregator',
      scope: at,
      site: null,
      capabilities: ['join', 'report', 'write'],
      issuer: idNamed('/de'),
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
