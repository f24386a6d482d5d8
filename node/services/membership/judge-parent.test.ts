import test from 'ava'
import { blockListKind, type Certificate, certificateKind, sealRecord, type Trust, toHex } from '../../../crdt/index.ts'
import type { JoinAdmitted } from './join-messages.ts'
import { judgeParent, type ParentGuard, parentGuards } from './judge-parent.ts'
import {
  call,
  peerNamed,
  powers,
  signerNamed,
  siteOf,
  startNode,
  startTower,
  zoneOf,
} from './membership-scene.contract.ts'

/** What a good parent answered a good child, and whom the child believes. */
const scene = async () => {
  const tower = await startTower(() => [zoneOf('/north', ['north'])])
  const north = await startNode({
    name: 'north',
    role: 'aggregator',
    scope: '/north',
    networkId: tower.networkId,
    tokens: [(await tower.membership.token('north')).token],
    expected: () => [siteOf('/north/n1', ['n1-a'])],
  })
  await north.membership.start()
  await call(north, tower)
  const { token } = await north.membership.token('n1-a')
  const edge = await startNode({
    name: 'n1-a',
    role: 'edge',
    scope: '/north/n1',
    networkId: tower.networkId,
    tokens: [token],
  })
  await edge.membership.start()
  const { answer } = await call(edge, north)
  const trust = edge.book.trust()
  if (answer.kind !== 'admitted' || trust === undefined) throw new Error('the scene is broken')
  return { tower, north, edge, answer, trust }
}
type Scene = Awaited<ReturnType<typeof scene>>

interface Attack {
  readonly answer?: Partial<JoinAdmitted>
  readonly parentKey?: string
  readonly trust?: Trust
  readonly highestNumber?: number
  readonly self?: { readonly scope?: string; readonly role?: 'aggregator' }
}

const judge = ({ answer, trust, north, edge }: Scene, attack: Attack, without?: ParentGuard) =>
  judgeParent(
    {
      answer: { ...answer, ...attack.answer },
      parentKey: attack.parentKey ?? north.peerKey,
      self: { key: edge.peerKey, scope: '/north/n1', role: 'edge', ...attack.self },
      trust: attack.trust ?? trust,
      highestNumber: attack.highestNumber ?? 1,
    },
    powers,
    new Set(parentGuards.filter((guard) => guard !== without)),
  )

const signed = (of: Certificate, change: Partial<Certificate>, by: string) =>
  toHex(sealRecord(certificateKind, { ...of, ...change }, [signerNamed(by)], powers).bytes)

/** For each guard a parent that gets through without it, and not with it. */
const attacks: Readonly<Record<ParentGuard, (scene: Scene) => readonly [attack: Attack, code: string]>> = {
  key: () => [{ parentKey: peerNamed('thief') }, 'not-a-parent'],
  chain: ({ north }) => {
    const of = north.book.certificateOf(north.signer.keyId)!.body
    return [{ answer: { parentCertificate: signed(of, { number: 9 }, 'thief') } }, 'not-enough-signatures']
  },
  scope: ({ tower }) => {
    const of = tower.book.certificateOf(tower.signer.keyId)!
    return [
      {
        parentKey: tower.peerKey,
        answer: { parentCertificate: toHex(of.bytes), parent: { name: 'tower', scope: '/north' } },
      },
      'not-a-parent',
    ]
  },
  standing: ({ tower, trust }) => {
    const owner = tower.book.ownerAt('/', 'zone')!
    const body = { network: tower.networkId, issuer: owner.id, number: 1, sites: [], tenants: [] }
    const list = sealRecord(blockListKind, { ...body, keys: [signerNamed('north').keyId] }, [tower.signer], powers)
    // The key that vouches for the child is blocked as well: only the parent's own standing is asked about here.
    return [{ trust: { ...trust, blockLists: [list] }, answer: {} }, 'blocked']
  },
  'own-key': ({ edge }) => {
    const of = edge.book.certificateOf(edge.signer.keyId)!.body
    return [{ answer: { certificate: signed(of, { key: peerNamed('other') }, 'north') } }, 'bad-certificate']
  },
  'own-chain': ({ edge }) => {
    const of = edge.book.certificateOf(edge.signer.keyId)!.body
    return [{ answer: { certificate: signed(of, { number: 9 }, 'thief') } }, 'not-enough-signatures']
  },
  'own-place': ({ edge }) => {
    const of = edge.book.certificateOf(edge.signer.keyId)!.body
    return [{ answer: { certificate: signed(of, { scope: '/north/n2' }, 'north') } }, 'bad-certificate']
  },
}

test('a parent with a certificate that chains from the root for the scope directly above is accepted', async (t) => {
  t.true(judge(await scene(), {}).ok)
})

for (const guard of parentGuards)
  test(`without the guard ${guard} a child would believe somebody it must not`, async (t) => {
    const at = await scene()
    const [attack, code] = attacks[guard](at)
    t.like(judge(at, attack), { ok: false, code })
    const without = judge(at, attack, guard)
    // A blocked parent also vouches for nobody, which is the chain's to say.
    if (guard === 'standing') t.not((without as { code?: string }).code, code)
    else t.true(without.ok, JSON.stringify(without))
  })

test('a superseded certificate of a parent is refused, whatever the clocks say', async (t) => {
  const at = await scene()
  t.like(judge(at, { highestNumber: 2 }), { ok: false, code: 'superseded' })
})

test('a parent that issues a certificate outside its scope gives none', async (t) => {
  const at = await scene()
  const of = at.edge.book.certificateOf(at.edge.signer.keyId)!.body
  const certificate = signed(of, { scope: '/south/s1' }, 'north')
  t.like(judge(at, { answer: { certificate } }), { ok: false, code: 'out-of-scope' })
  t.like(judge(at, { self: { scope: '/north/n2' } }), { ok: false, code: 'bad-certificate' })
})

test('a child whose parent was blocked above hears of it and hangs up', async (t) => {
  const { tower, edge, north } = await scene()
  const cut: string[] = []
  edge.membership.onChange((event) => cut.push(...event.cut))
  await tower.membership.block({ zone: '/north' })
  await edge.book.take(tower.book.recordsFor('/north').map(({ bytes }) => bytes))
  t.deepEqual(cut, [north.peerKey])
  const { accepted } = await call(edge, north)
  t.like(accepted, { ok: false, code: 'blocked' })
})
