import test from 'ava'
import {
  type BlockList,
  blockListKind,
  type Certificate,
  certificateKind,
  type Delegation,
  delegationKind,
  type Owner,
  sealRecord,
} from '../../../crdt/index.ts'
import { dueDelegations, nextZoneList } from './grants.ts'
import { capabilitiesOf, contentOf, renewalOf } from './member-certificate.ts'
import { day, peerNamed, powers, signerNamed, startMs } from './membership-scene.contract.ts'
import { maxBlocked, nextBlocks } from './next-blocks.ts'

const [network, zone, tenantId] = ['0a'.repeat(32), '0b'.repeat(16), '0c'.repeat(16)]
const keys = [peerNamed('one'), peerNamed('two')].toSorted()
const keyIdOf = (key: string) =>
  ['one', 'two'].map(signerNamed).find(({ publicKey }) => Buffer.from(publicKey).toString('hex') === key)?.keyId ?? ''
const ownerWith = (some: readonly string[], generation: number): Owner => ({
  id: zone,
  role: 'zone',
  scope: '/north',
  succession: 'granted',
  generation,
  list: '0d'.repeat(32),
  isCountersigned: true,
  keys: new Map(some.map((key) => [keyIdOf(key), Buffer.from(key, 'hex')])),
  threshold: 1,
})

test('a zone gets a new generation exactly when its keys change', (t) => {
  const at = { network, zone, scope: '/north' }
  t.like(nextZoneList(at, undefined, keys.slice(0, 1), keyIdOf), { generation: 1, previous: null, owner: zone })
  t.is(nextZoneList(at, ownerWith(keys.slice(0, 1), 1), keys.slice(0, 1), keyIdOf), undefined)
  t.like(nextZoneList(at, ownerWith(keys.slice(0, 1), 4), keys.toReversed(), keyIdOf), {
    generation: 5,
    previous: '0d'.repeat(32),
    keys,
  })
  t.is(nextZoneList(at, ownerWith(keys, 1), [], keyIdOf), undefined, 'a zone is never left without a key')
})

test('delegations follow the keys of a zone, and are taken back from those that left', (t) => {
  const tenant: Owner = { ...ownerWith([], 3), id: tenantId, role: 'tenant', scope: '/' }
  const at = { network, tenant, scope: '/north' }
  const seal = (body: Omit<Delegation, 'kind'>) => sealRecord(delegationKind, body, [signerNamed('tenant')], powers)
  const [first] = dueDelegations(at, [], keys.slice(0, 1))
  t.like(first, { key: keys[0], number: 1, isGranted: true, generation: 3 })
  const held = [seal(first!)]
  t.deepEqual(dueDelegations(at, held, keys.slice(0, 1)), [])
  const due = dueDelegations(at, held, keys.slice(1))
  t.deepEqual(
    due.map(({ key, number, isGranted }) => [key, number, isGranted]),
    [
      [keys[1], 1, true],
      [keys[0], 2, false],
    ],
  )
  const after = [...held, ...due.map(seal)]
  t.deepEqual(dueDelegations(at, after, keys.slice(1)), [])
  t.like(dueDelegations(at, after, keys)[0], { key: keys[0], number: 3, isGranted: true }, 'and given again')
  t.deepEqual(dueDelegations({ ...at, scope: '/south' }, after, []), [], 'of other zones nothing is taken back')
})

test('a certificate is renewed when half its time is left, when it says something else, and when it does not count', (t) => {
  const issuer = { id: zone, generation: 2 }
  const question = {
    network,
    issuer,
    key: keys[0]!,
    host: 'a',
    role: 'edge',
    scope: '/n1',
    site: zone,
    sealing: null,
  } as const
  const wanted = contentOf(question)
  const held = (change: Partial<Certificate> = {}) =>
    sealRecord(
      certificateKind,
      { ...wanted, number: 3, fromMs: startMs, untilMs: startMs + 90 * day, ...change },
      [signerNamed('zone')],
      powers,
    )
  t.is(renewalOf(undefined, wanted, 0, startMs), 'none')
  t.is(renewalOf(held(), wanted, 3, startMs), undefined)
  t.is(
    renewalOf(held({ generation: 1 }), wanted, 3, startMs),
    undefined,
    'a new generation with the same key is no reason',
  )
  t.is(renewalOf(held(), wanted, 4, startMs), 'superseded')
  t.is(renewalOf(held({ scope: '/n2' }), wanted, 3, startMs), 'changed')
  t.is(renewalOf(held({ site: 'ff'.repeat(16) }), wanted, 3, startMs), 'changed')
  t.is(renewalOf(held({ host: 'b' }), wanted, 3, startMs), 'changed')
  t.is(renewalOf(held(), { ...wanted, sealing: keys[1]! }, 3, startMs), 'changed', 'it says now what to seal to')
  t.is(renewalOf(held({ capabilities: capabilitiesOf('tower') }), wanted, 3, startMs), 'changed')
  t.is(renewalOf(held(), wanted, 3, startMs - 1), 'early')
  t.is(renewalOf(held(), wanted, 3, startMs + 44 * day), undefined)
  t.is(renewalOf(held(), wanted, 3, startMs + 46 * day), 'ends')
  t.is(renewalOf(held(), wanted, 3, startMs + 1_000 * day), 'ends')
  t.is(
    renewalOf(held({ untilMs: 1, fromMs: 0 }), wanted, 3, undefined),
    undefined,
    'dates say nothing without trusted time',
  )
})

test('a block list is whole, numbered, and grows and shrinks by what is asked', (t) => {
  const by = { network, issuer: zone }
  const seal = (body: Omit<BlockList, 'kind'>) => sealRecord(blockListKind, body, [signerNamed('zone')], powers)
  const key = (n: number) => n.toString(16).padStart(64, '0')
  const make = (...args: Parameters<typeof nextBlocks>): Omit<BlockList, 'kind'> => {
    const next = nextBlocks(...args)
    if (next === undefined || next === 'list-full') throw new Error(String(next))
    return next
  }
  const one = seal(make(by, [], { add: { keys: [key(2)], sites: [tenantId] } }))
  t.like(one.body, { number: 1, keys: [key(2)], sites: [tenantId] })
  t.is(nextBlocks(by, [one], { add: { keys: [key(2)], sites: [] } }), undefined)
  t.is(nextBlocks(by, [], { remove: { keys: [key(2)], sites: [] } }), undefined)
  const two = seal(make(by, [one], { add: { keys: [key(1)], sites: [] } }))
  t.like(two.body, { number: 2, keys: [key(1), key(2)], sites: [tenantId] })
  t.like(make(by, [two], { remove: { keys: [key(1), key(2)], sites: [] } }), { number: 3, keys: [], sites: [tenantId] })
  const rival = seal({ ...two.body, keys: [key(3)], sites: [], tenants: [tenantId] })
  const joined = make(by, [two, rival], { add: { keys: [], sites: [] } })
  t.like(joined, { number: 3, keys: [key(1), key(2), key(3)], tenants: [tenantId] }, 'two of one number become one')
  const others = seal({ ...two.body, issuer: 'ee'.repeat(16) })
  t.like(make(by, [others], { add: { keys: [key(9)], sites: [] } }), { number: 1, keys: [key(9)] })
  const many = Array.from({ length: maxBlocked + 1 }, (_, n) => key(n))
  t.is(nextBlocks(by, [], { add: { keys: many, sites: [] } }), 'list-full')
})
