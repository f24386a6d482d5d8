import test from 'ava'
import type { KeyId } from '../../../crdt/index.ts'
import { type DepositGuard, depositGuards, judgeDeposit, sealedBytes } from './judge-deposit.ts'
import { judgeSibling, type SiblingGuard, siblingGuards } from './judge-sibling.ts'
import {
  certificateOf,
  depositOf,
  deskOf,
  idNamed,
  keyNamed,
  networkId,
  peerNamed,
  powers,
  sealedOf,
  trustOf,
} from './sibling-scene.contract.ts'

const wordOf = (judged: { readonly ok: boolean; readonly code?: string }) => (judged.ok ? 'ok' : (judged.code ?? ''))

const blocking = deskOf(trustOf({ keys: ['blocked-host', 'south-agg-2'], sites: ['site of s2-a'] }))
const swapped = { ...depositOf('s1-a', 1), sealed: sealedOf('other bytes') }
const long = depositOf('s1-a', 1, { sealed: new Uint8Array(sealedBytes + 1) })

/** What a stolen or foreign hand may offer, and the one guard that stops it. */
const forgedDeposits: readonly (readonly [
  what: string,
  guard: DepositGuard,
  code: string,
  ...(Parameters<typeof judgeDeposit> extends [infer Bytes, infer Desk, ...unknown[]] ? [Bytes, Desk] : never),
])[] = [
  ['more bytes than anybody leaves', 'size', 'too-large', long, deskOf()],
  ['of another network', 'network', 'wrong-network', depositOf('s1-a', 1, { network: 'ab'.repeat(32) }), deskOf()],
  ['of another zone', 'zone', 'wrong-zone', depositOf('s1-a', 1, { zone: idNamed('/north') }), deskOf()],
  ['signed by a host', 'signed', 'not-enough-signatures', depositOf('s1-a', 1, { signer: 's3-a' }), deskOf()],
  [
    'signed by another zone',
    'signed',
    'not-enough-signatures',
    depositOf('s1-a', 1, { signer: 'north-agg' }),
    deskOf(),
  ],
  ['signed by the tower', 'signed', 'not-enough-signatures', depositOf('s1-a', 1, { signer: 'tower' }), deskOf()],
  [
    'signed by a blocked key',
    'blocked',
    'not-enough-signatures',
    depositOf('s1-a', 1, { signer: 'south-agg-2' }),
    blocking,
  ],
  ['for a blocked host', 'blocked', 'blocked', depositOf('blocked-host', 1), blocking],
  ['for a host of a blocked site', 'blocked', 'blocked', depositOf('s2-a', 1), blocking],
  ['with other bytes than were signed', 'hash', 'other-bytes', swapped, deskOf()],
]

for (const [what, guard, code, bytes, desk] of forgedDeposits)
  test(`a deposit ${what} is refused, and by its guard alone`, (t) => {
    t.is(wordOf(judgeDeposit(bytes, desk, powers)), code)
    const without = new Set(depositGuards.filter((one) => one !== guard))
    t.is(wordOf(judgeDeposit(bytes, desk, powers, without)), 'ok', 'without the guard it is taken')
  })

test('a deposit of either aggregator is good, and says which left it', (t) => {
  t.like(judgeDeposit(depositOf('s1-a', 3), deskOf(), powers), { ok: true, depositor: keyNamed('south-agg').keyId })
  t.like(judgeDeposit(depositOf('s1-a', 3, { signer: 'south-agg-2' }), deskOf(), powers), {
    ok: true,
    depositor: keyNamed('south-agg-2').keyId,
  })
  t.is(wordOf(judgeDeposit({ record: Uint8Array.of(0), sealed: sealedOf('y') }, deskOf(), powers)), 'bad-length')
  t.is(wordOf(judgeDeposit(depositOf('s1-a', 1), { ...deskOf(), zone: undefined }, powers)), 'wrong-zone')
})

const own = certificateOf('s1').body
const asked = (
  certificate: { readonly bytes: Uint8Array },
  {
    peer = 's2',
    act = 'join' as 'join' | 'store',
    trust = trustOf(),
    highest = 0,
    guards = siblingGuards as readonly SiblingGuard[],
  } = {},
) =>
  judgeSibling(
    {
      certificate: certificate.bytes,
      peerKey: peerNamed(peer),
      act,
      own,
      trust,
      highestNumbers: new Map<KeyId, number>([[keyNamed(peer).keyId, highest]]),
    },
    powers,
    new Set(guards),
  )

const north = { issuer: idNamed('/north'), scope: '/north/s2' }
const strangers: readonly (readonly [
  what: string,
  guard: SiblingGuard,
  code: string,
  certificate: { readonly bytes: Uint8Array },
  more?: Parameters<typeof asked>[1],
])[] = [
  ['shows the certificate of another', 'key', 'not-a-sibling', certificateOf('s2'), { peer: 's3' }],
  ['is an aggregator', 'role', 'not-a-sibling', certificateOf('s2', { role: 'aggregator', site: null })],
  ['is of another zone', 'zone', 'wrong-zone', certificateOf('s2', north, 'north-agg')],
  ['is of a zone within', 'zone', 'wrong-zone', certificateOf('s2', { scope: '/south' })],
  ['is of the same site', 'other-site', 'same-site', certificateOf('s2', { site: idNamed('s1') })],
  ['made its certificate itself', 'chain', 'not-enough-signatures', certificateOf('s2', {}, 's2')],
  ['has a certificate of the tower', 'chain', 'not-enough-signatures', certificateOf('s2', {}, 'tower')],
  ['has one of another network', 'chain', 'wrong-network', certificateOf('s2', { network: 'ab'.repeat(32) })],
  ['is blocked', 'standing', 'blocked', certificateOf('s2'), { trust: trustOf({ keys: ['s2'] }) }],
  ['is of a blocked site', 'standing', 'blocked', certificateOf('s2'), { trust: trustOf({ sites: ['s2'] }) }],
  ['shows an old certificate', 'standing', 'superseded', certificateOf('s2'), { highest: 2 }],
  [
    'may not keep anything',
    'standing',
    'no-capability',
    certificateOf('s2', { capabilities: ['join'] }),
    { act: 'store' },
  ],
]

for (const [what, guard, code, certificate, more] of strangers)
  test(`who ${what} is no sibling, by one guard alone`, (t) => {
    t.is(wordOf(asked(certificate, more)), code)
    const guards = siblingGuards.filter((one) => one !== guard)
    t.is(wordOf(asked(certificate, { ...more, guards })), 'ok', 'without the guard it is one')
  })

test('a host of another site of the zone is a sibling, whatever the time and however old its certificate', (t) => {
  t.like(asked(certificateOf('s2', { fromMs: 5, untilMs: 6 })), { ok: true, site: idNamed('s2') })
  t.is(wordOf(asked(certificateOf('s2'), { act: 'store' })), 'ok')
  t.is(wordOf(asked({ bytes: Uint8Array.of(1) })), 'bad-length')
  t.is(networkId, own.network)
})
