import test from 'ava'
import type { Book } from '../../../crdt/index.ts'
import { call, type SceneNode, startNode, startTower, zoneOf } from './membership-scene.contract.ts'
import { signingDelegation } from './signing-delegation.ts'

/** An aggregator enrolled by a parent that expects it. */
const enrolledBelow = async (
  parent: SceneNode,
  networkId: string,
  scope: string,
  inner: Parameters<typeof zoneOf>[0][],
): Promise<SceneNode> => {
  const name = hostOf(scope)
  const { token } = await parent.membership.token(name)
  const node = await startNode({
    name,
    role: 'aggregator',
    scope,
    networkId,
    tokens: [token],
    expected: () => inner.map((one) => zoneOf(one, [hostOf(one)])),
  })
  await node.membership.start()
  await call(node, parent)
  return node
}
const hostOf = (scope: string) => `${scope.split('/').at(-1)}-aggregator`

/** What a report hands up of a zone, and what its parent hands down to it. */
const listsOf = (book: Book, scope: string) =>
  book.recordsFor(scope).flatMap(({ kind, bytes }) => (kind === 'key-list' ? [bytes] : []))
const handDown = (from: Book, to: Book, scope: string) => to.take(from.recordsFor(scope).map(({ bytes }) => bytes))

/** A country with two states; one with a town. The tower's topology names what `known` holds. */
const country = async (known: readonly string[]) => {
  const tower = await startTower(() => [zoneOf('/de', ['de-aggregator'])], {
    more: { isKnownZone: (scope) => known.includes(scope) },
  })
  const { networkId } = tower
  const de = await enrolledBelow(tower, networkId, '/de', ['/de/bavaria', '/de/hesse'])
  const bavaria = await enrolledBelow(de, networkId, '/de/bavaria', ['/de/bavaria/munich'])
  const munich = await enrolledBelow(bavaria, networkId, '/de/bavaria/munich', [])
  const hesse = await enrolledBelow(de, networkId, '/de/hesse', [])
  const tenant = tower.founded.tenant.id
  const settle = async (scopes: readonly string[]) => {
    for (const scope of scopes) await tower.book.take(listsOf(scope.includes('munich') ? bavaria.book : de.book, scope))
    await tower.membership.refresh()
    await handDown(tower.book, de.book, '/de')
    await handDown(de.book, hesse.book, '/de/hesse')
    await handDown(de.book, bavaria.book, '/de/bavaria')
    await handDown(bavaria.book, munich.book, '/de/bavaria/munich')
  }
  const asked = ({ book, signer }: SceneNode, scope: string) => signingDelegation(book, scope, signer.keyId, tenant)
  return { tower, de, bavaria, munich, hesse, tenant, settle, asked }
}

test('zones two levels down may sign for their own sites once their key lists reached the tower', async (t) => {
  const { tower, de, bavaria, hesse, munich, settle, asked, tenant } = await country([
    '/de',
    '/de/bavaria',
    '/de/hesse',
  ])
  t.like(asked(hesse, '/de/hesse'), { ok: false, code: 'delegated-above' }, 'nothing was handed up yet')
  await settle(['/de/bavaria', '/de/hesse'])
  for (const [node, scope] of [
    [de, '/de'],
    [bavaria, '/de/bavaria'],
    [hesse, '/de/hesse'],
  ] as const) {
    const found = asked(node, scope)
    t.true(found.ok)
    t.like(found.ok && found.delegation.body, { scope, key: node.peerKey, tenant, isGranted: true })
  }
  const before = tower.book.delegationsOf(tenant).map(({ id }) => id)
  await settle(['/de/bavaria', '/de/hesse'])
  t.deepEqual(
    tower.book.delegationsOf(tenant).map(({ id }) => id),
    before,
    'nothing is signed twice',
  )
  t.deepEqual(asked(munich, '/de/bavaria/munich'), {
    ok: false,
    code: 'delegated-above',
    why: "the tenant's authority has delegated signing to /de/bavaria: ask its operators",
  })
})

test('a zone that the topology does not name gets nothing, whatever key list is handed up', async (t) => {
  const { tower, munich, settle, asked, tenant } = await country(['/de', '/de/bavaria', '/de/hesse'])
  await settle(['/de/bavaria', '/de/hesse', '/de/bavaria/munich'])
  t.truthy(tower.book.ownerAt('/de/bavaria/munich', 'zone'), 'the list itself is believed')
  t.deepEqual(
    tower.book
      .delegationsOf(tenant)
      .map(({ body }) => body.scope)
      .toSorted(),
    ['/', '/de', '/de/bavaria', '/de/hesse'],
  )
  t.like(asked(munich, '/de/bavaria/munich'), { ok: false, code: 'delegated-above' })
})

test('who is on no list, or asks for another scope or tenant, hears why not', async (t) => {
  const { tower, de, hesse, settle, asked } = await country(['/de', '/de/hesse'])
  await settle(['/de/hesse'])
  t.like(asked(hesse, '/de'), { ok: false, code: 'not-enrolled' })
  t.like(asked(hesse, '/de/bavaria'), { ok: false, code: 'not-enrolled' })
  t.like(signingDelegation(hesse.book, '/de/hesse', hesse.signer.keyId, '0'.repeat(32)), {
    ok: false,
    code: 'unknown-tenant',
  })
  t.true(asked(tower, '/').ok, 'the tower signs for all')
  await de.membership.block({ zone: '/de/hesse' })
  await handDown(de.book, hesse.book, '/de/hesse')
  t.like(asked(hesse, '/de/hesse'), { ok: false, code: 'blocked' })
})

test('a key that left the list of a zone further down loses its delegation', async (t) => {
  const { tower, de, settle, tenant, hesse } = await country(['/de', '/de/hesse'])
  await settle(['/de/hesse'])
  const other = await startNode({
    name: 'hesse-aggregator',
    role: 'aggregator',
    scope: '/de/hesse',
    networkId: tower.networkId,
    key: 'another machine',
  })
  await call(other, de)
  await de.membership.claim(other.signer.keyId, 'hesse-aggregator')
  await settle(['/de/hesse'])
  const states = new Map(tower.book.delegationsOf(tenant).map(({ body }) => [body.key, body.isGranted]))
  t.deepEqual([states.get(hesse.peerKey), states.get(other.peerKey)], [false, true])
})
