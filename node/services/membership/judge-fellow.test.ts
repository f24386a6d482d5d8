import test from 'ava'
import { type Certificate, certificateKind, keyIdOf, readRecord, sealRecord } from '../../../crdt/index.ts'
import { type FellowGuard, fellowGuards, judgeFellow, readFellowAnswer, readFellowHello } from './judge-fellow.ts'
import {
  call,
  peerNamed,
  powers,
  type SceneNode,
  signerNamed,
  startNode,
  startTower,
  zoneOf,
} from './membership-scene.contract.ts'

/** A zone that `north-a` and `north-b` run, and another one. */
const start = async () => {
  const tower = await startTower(() => [
    zoneOf('/north', ['north-a', 'north-b', 'north-c']),
    zoneOf('/south', ['south-a']),
  ])
  const join = async (name: string, scope: string): Promise<SceneNode> => {
    const { token } = await tower.membership.token(name)
    const node = await startNode({ name, role: 'aggregator', scope, networkId: tower.networkId, tokens: [token] })
    await node.membership.start()
    await call(node, tower)
    return node
  }
  const nodes = {
    a: await join('north-a', '/north'),
    b: await join('north-b', '/north'),
    s: await join('south-a', '/south'),
  }
  const certificateOf = ({ book, signer }: SceneNode) => book.certificateOf(signer.keyId)!
  const changed = (change: Partial<Certificate>, signer = 'tower') => {
    const { kind: _, ...body } = certificateOf(nodes.b).body
    return sealRecord(certificateKind, { ...body, ...change }, [signerNamed(signer)], powers).bytes
  }
  const judge = (certificate: Uint8Array, peer = 'north-b', guards: readonly FellowGuard[] = fellowGuards) => {
    const { book } = nodes.b
    const judged = judgeFellow(
      {
        certificate,
        peerKey: peerNamed(peer),
        scope: '/north',
        owner: book.ownerAt('/north', 'zone'),
        trust: book.trust()!,
        highestNumbers: book.highestNumbers(),
        keyIdOf: (key) => keyIdOf(Buffer.from(key, 'hex'), powers.hash),
      },
      powers,
      new Set(guards),
    )
    return judged.ok ? 'ok' : judged.code
  }
  return { tower, nodes, certificateOf, changed, judge }
}

test('another aggregator of the zone is one, and what each guard alone stops is none', async (t) => {
  const { nodes, certificateOf, changed, judge } = await start()
  const own = certificateOf(nodes.b).bytes
  t.is(judge(own), 'ok')
  const north = readRecord(certificateKind, own, powers)
  t.true(north.ok)
  const forged: readonly (readonly [FellowGuard, string, Uint8Array, string?])[] = [
    ['key', 'not-a-fellow', own, 'north-a'],
    ['place', 'not-a-fellow', changed({ role: 'tower', number: 9 })],
    ['list', 'not-on-list', changed({ key: peerNamed('north-c'), host: 'north-c' }), 'north-c'],
    ['chain', 'not-enough-signatures', changed({ number: 9 }, 'north-a')],
  ]
  for (const [guard, code, certificate, peer] of forged) {
    t.is(judge(certificate, peer), code, guard)
    t.is(
      judge(
        certificate,
        peer,
        fellowGuards.filter((one) => one !== guard),
      ),
      'ok',
      `without ${guard}`,
    )
  }
  t.is(judge(new Uint8Array(9)), 'bad-length')
  t.is(judge(certificateOf(nodes.s).bytes, 'south-a'), 'not-a-fellow')
})

test('one that is blocked is none any more', async (t) => {
  const { tower, nodes, certificateOf } = await start()
  await tower.membership.block({ host: 'north-b' })
  await call(nodes.a, tower)
  const { book } = nodes.a
  const judged = judgeFellow(
    {
      certificate: certificateOf(nodes.b).bytes,
      peerKey: nodes.b.peerKey,
      scope: '/north',
      owner: book.ownerAt('/north', 'zone'),
      trust: book.trust()!,
      highestNumbers: book.highestNumbers(),
      keyIdOf: (key) => keyIdOf(Buffer.from(key, 'hex'), powers.hash),
    },
    powers,
  )
  t.is(judged.ok ? 'ok' : judged.code, 'blocked')
})

test('what two aggregators say first has one form', (t) => {
  const hello = { v: 1, network: 'ab'.repeat(32), certificate: 'AAAA' }
  t.deepEqual(readFellowHello(hello), hello as never)
  for (const other of [
    { ...hello, v: 2 },
    { ...hello, network: 'x' },
    { ...hello, more: 1 },
    { ...hello, certificate: '?' },
  ])
    t.is(readFellowHello(other), undefined)
  t.like(readFellowAnswer({ v: 1, kind: 'welcome', certificate: 'AAAA', records: ['AAAA'] }), { kind: 'welcome' })
  t.like(readFellowAnswer({ v: 1, kind: 'refused' }), { kind: 'refused' })
  for (const other of [{ v: 2, kind: 'refused' }, { v: 1, kind: 'welcome' }, { v: 1 }, 'welcome'])
    t.is(readFellowAnswer(other), undefined)
})
