import test from 'ava'
import { fixture } from '../fixtures/fixture.contract.ts'
import { beaconKind } from './beacon.ts'
import { blockListKind } from './block-list.ts'
import { certificateKind } from './certificate.ts'
import { delegationKind } from './delegation.ts'
import { deploymentVersionKind } from './deployment-version.ts'
import { depositKind } from './deposit.ts'
import { keyListKind } from './key-list.ts'
import { createNodeSignatures, nodeHash } from './node-signatures.ts'
import { keysOf, type RecordKind, readRecord, type SignedRecord, sealRecord, signersOf } from './record.ts'
import { rootKind } from './root.ts'
import { toHex } from './signatures.ts'
import { verdictKind } from './verdict.ts'

const powers = { signatures: createNodeSignatures(), hash: nodeHash }
const signers = [1, 2, 3].map((filler) => powers.signatures.signer(new Uint8Array(32).fill(filler)))
const publicKeys = signers.map(({ publicKey }) => toHex(publicKey)).toSorted()
const keyIds = signers.map(({ keyId }) => keyId).toSorted()
const [network, shop, zone] = ['0a'.repeat(32), '0b'.repeat(16), '0c'.repeat(24)]
const hash = '0d'.repeat(32)

interface Sample<Body extends object> {
  readonly kind: RecordKind<Body>
  readonly body: Omit<Body, 'kind'>
}
const sample = <Body extends object>(kind: RecordKind<Body>, body: Omit<Body, 'kind'>): Sample<object> =>
  ({ kind, body }) as unknown as Sample<object>

const samples: Readonly<Record<string, Sample<object>>> = {
  'root.1': sample(rootKind, {
    network: null,
    number: 1,
    previous: null,
    keys: publicKeys,
    threshold: 2,
    beacon: publicKeys[0] ?? null,
  }),
  'key-list.1': sample(keyListKind, {
    network,
    owner: zone,
    role: 'zone',
    scope: '/de/bavaria',
    succession: 'own',
    generation: 2,
    previous: hash,
    keys: publicKeys,
    threshold: 2,
  }),
  'deposit.1': sample(depositKind, { network, zone, site: shop, reader: publicKeys[1] ?? '', number: 3, sealed: hash }),
  'verdict.1': sample(verdictKind, { network, owner: zone, generation: 2, list: hash, verdict: 'refused' }),
  'certificate.1': sample(certificateKind, {
    network,
    key: publicKeys[1] ?? '',
    role: 'edge',
    scope: '/de/bavaria/munich-7',
    site: shop,
    capabilities: ['join', 'report'],
    issuer: zone,
    generation: 2,
    number: 3,
    sealing: hash,
    fromMs: 1_700_000_000_000,
    untilMs: 1_800_000_000_000,
  }),
  'block-list.1': sample(blockListKind, {
    network,
    issuer: null,
    number: 9,
    keys: keyIds,
    sites: [shop],
    tenants: [shop, zone],
  }),
  'delegation.1': sample(delegationKind, {
    network,
    tenant: shop,
    generation: 1,
    key: publicKeys[2] ?? '',
    scope: '/de',
    number: 1,
    isGranted: true,
  }),
  'deployment-version.1': sample(deploymentVersionKind, {
    network,
    tenant: shop,
    application: '0e'.repeat(16),
    deployment: '0f'.repeat(16),
    name: 'everywhere',
    signer: keyIds[0] ?? '',
    order: 4,
    revision: hash,
    placement: 'region=süd,tier!=test',
    secrets: ['database', 'mail'],
  }),
  'beacon.1': sample(beaconKind, {
    network,
    counter: 12,
    timeMs: 1_700_000_000_000,
    generations: { [shop]: 1, [zone]: 2 },
    blockList: { number: 9, id: hash },
  }),
}

for (const [name, { kind, body }] of Object.entries(samples))
  test(`${name} reads, is signed by its keys and is sealed again to the same bytes`, (t) => {
    const bytes = fixture(name, () => sealRecord(kind, body, signers, powers).bytes)
    const read = readRecord(kind, bytes, powers)
    if (!read.ok) return t.fail(read.refusal.message)
    const record: SignedRecord<object> = read.record
    t.deepEqual(record.body, { ...body, kind: kind.kind })
    t.deepEqual([...signersOf(kind, record, keysOf(publicKeys, nodeHash), powers)].toSorted(), keyIds)
    t.is(toHex(sealRecord(kind, record.body, signers, powers).bytes), toHex(bytes))
    const others = Object.values(samples).filter((other) => other.kind !== kind)
    for (const other of others) t.false(readRecord(other.kind, bytes, powers).ok, `as ${other.kind.kind}`)
  })
