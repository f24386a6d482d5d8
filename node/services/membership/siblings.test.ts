import test from 'ava'
import { parseScopePath } from '../../../base/index.ts'
import { nodeSealing, toHex } from '../../../crdt/index.ts'
import { type ExpectedScope, readListedScope } from './index.ts'
import { call, peerNamed, type SceneNode, siteOf, startNode, startTower } from './membership-scene.contract.ts'

const sealing = toHex(nodeSealing.reader(new Uint8Array(32).fill(1)).publicKey)
const other = toHex(nodeSealing.reader(new Uint8Array(32).fill(2)).publicKey)
const siteWith = (name: string): ExpectedScope => ({
  ...siteOf(`/${name}`, [`${name}-a`]),
  siblings: [`${name}.example:1`],
})

const joinAs = async (tower: SceneNode & { readonly networkId: string }, name: string, key?: string) => {
  const host = `${name}-a`
  const { token } = await tower.membership.token(host)
  const signer = key === undefined ? {} : { key }
  const edge = await startNode({
    name: host,
    role: 'edge',
    scope: `/${name}`,
    networkId: tower.networkId,
    tokens: [token],
    ...signer,
  })
  await edge.membership.start()
  return edge
}
const laneOf = async (tower: SceneNode, name: string) => {
  const id = tower.documents.idOf({ kind: 'member', scope: parseScopePath(`/${name}`) }) ?? ''
  return readListedScope(await tower.documents.standing(id))
}
const certificateOf = (tower: SceneNode, edge: SceneNode) => tower.book.certificateOf(edge.signer.keyId)?.body

test('what a host says is sealed to goes into its certificate and its site’s lane, at its next admission', async (t) => {
  const tower = await startTower(() => [siteOf('/n1', ['n1-a'])])
  const edge = await joinAs(tower, 'n1')
  t.true((await call(edge, tower)).accepted.ok)
  t.like(certificateOf(tower, edge), { number: 1, sealing: null })
  t.true((await call(edge, tower, { sealing })).accepted.ok)
  t.like(certificateOf(tower, edge), { number: 2, sealing })
  t.is((await laneOf(tower, 'n1')).hosts[0]?.sealing, sealing)
  await call(edge, tower, { sealing })
  await call(edge, tower)
  t.like(certificateOf(tower, edge), { number: 2, sealing }, 'saying it again, or not, changes nothing')
  await call(edge, tower, { sealing: other })
  t.like(certificateOf(tower, edge), { number: 3, sealing: other })
  t.is((await call(edge, tower, { sealing: 'short' } as never)).answer.kind, 'refused')
  t.is(tower.membership.depositsOf('/n1'), undefined, 'nobody can reach anybody here')
})

test('another machine that takes a host’s place does not keep the key of the one before', async (t) => {
  const tower = await startTower(() => [siteOf('/n1', ['n1-a'])])
  const edge = await joinAs(tower, 'n1')
  await call(edge, tower, { sealing })
  const second = await startNode({
    name: 'n1-a',
    role: 'edge',
    scope: '/n1',
    networkId: tower.networkId,
    key: 'second',
  })
  await second.membership.start()
  await call(second, tower, { sealing: other })
  await tower.membership.claim(second.signer.keyId, 'n1-a')
  t.like(certificateOf(tower, second), { sealing: null })
  await call(second, tower, { sealing: other })
  t.like(certificateOf(tower, second), { sealing: other })
})

test('each site learns of its siblings alone, by id, key and address, and of others when one is blocked or comes', async (t) => {
  const names = ['n1', 'n2', 'n3']
  let expected = names.map(siteWith)
  const tower = await startTower(() => expected)
  for (const name of names) {
    const edge = await joinAs(tower, name)
    await call(edge, tower, { sealing })
  }
  const peersOf = async (name: string) => (await laneOf(tower, name)).peers
  for (const name of names) {
    const peers = await peersOf(name)
    const others = names.filter((one) => one !== name)
    t.deepEqual(peers.map(({ key }) => key).toSorted(), others.map((one) => peerNamed(`${one}-a`)).toSorted())
    t.deepEqual(
      peers.map(({ address }) => address).toSorted(),
      others.map((one) => `${one}.example:1`),
    )
    for (const one of others) t.false(JSON.stringify(peers).includes(`${one}-a`), 'no names of hosts')
    const deposits = tower.membership.depositsOf(`/${name}`)
    t.deepEqual(deposits?.siblings.toSorted(), peers.map(({ key }) => key).toSorted())
    t.deepEqual(deposits?.readers, [{ key: peerNamed(`${name}-a`), sealing }])
  }

  await tower.membership.block({ host: 'n2-a' })
  t.deepEqual(
    (await peersOf('n1')).map(({ key }) => key),
    [peerNamed('n3-a')],
  )
  t.deepEqual(tower.membership.depositsOf('/n2')?.readers, [], 'nothing is left for who is blocked')
  await tower.membership.allow({ host: 'n2-a' })
  t.is((await peersOf('n1')).length, 2)

  const withAddresses = expected
  expected = names.map((name) => siteOf(`/${name}`, [`${name}-a`]))
  await tower.membership.refresh()
  for (const name of names) t.deepEqual(await peersOf(name), [], 'without addresses there are none any more')
  t.is(tower.membership.depositsOf('/n1'), undefined)
  expected = withAddresses
  await tower.membership.refresh()
  t.is((await peersOf('n1')).length, 2)

  expected = [...expected, siteWith('n4')]
  await tower.membership.refresh()
  const fourth = await joinAs(tower, 'n4')
  await call(fourth, tower, { sealing })
  t.is((await peersOf('n4')).length, 2)
  const served = await Promise.all([...names, 'n4'].map(peersOf))
  for (const name of [...names, 'n4'])
    t.is(served.flat().filter(({ key }) => key === peerNamed(`${name}-a`)).length, 2, 'each is one for two others')
})
