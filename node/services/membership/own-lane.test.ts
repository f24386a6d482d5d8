import test from 'ava'
import { type Put, sealGenesis } from '../../../crdt/index.ts'
import { policyKinds, type ZonePolicy } from '../../../topologies/index.ts'
import { call, powers, siteOf, startNode, startTower } from './membership-scene.contract.ts'
import { narrowingText, ownLaneOf, ownLaneValues, readNarrowings, readOwnLane } from './own-lane.ts'
import { admitted, south, startSouth } from './own-zone-scene.contract.ts'

test("the zone's own lane is written by its authority alone, and says what leaves, what is in it and who may join", async (t) => {
  const policy = Object.fromEntries(policyKinds.map((kind) => [kind, 'none' as const])) as ZonePolicy
  const tower = await startTower(() => [south])
  const { token } = await tower.membership.token('south-agg')
  const agg = await startSouth(tower.networkId, [token], 'south-agg', { ownZone: { policy, settle: 'ancestor' } })
  const lane = ownLaneOf('/south')
  t.is(agg.documents.idOf(lane), undefined)
  admitted(await call(agg, tower))
  const id = agg.documents.idOf(lane) ?? ''
  const said = readOwnLane(await agg.documents.standing(id))
  t.deepEqual(said, {
    policies: [policy],
    settle: 'ancestor',
    children: [{ kind: 'site', scope: '/south/s1', labels: { 'shop.example/size': 'large' } }],
    hosts: [{ name: 's1-a', child: 's1', hostId: null }],
  })
  const before = agg.documents.summaryOf(id)?.heads
  await agg.membership.refresh()
  t.deepEqual(agg.documents.summaryOf(id)?.heads, before, 'nothing changed, nothing is written')

  const owner = agg.book.ownerAt('/south', 'zone')!
  const genesis = (await agg.documents.genesisOf(id))!
  const fields = { networkId: tower.networkId, documentId: '0e'.repeat(16), lane, owner }
  const stolen = [
    sealGenesis(fields, [tower.signer], powers).bytes,
    sealGenesis({ ...fields, writers: [tower.signer.publicKey] }, [tower.signer], powers).bytes,
    sealGenesis({ ...fields, owner: tower.book.ownerAt('/', 'zone')! }, [tower.signer], powers).bytes,
  ]
  const fresh = await startNode({ name: 'x', role: 'aggregator', scope: '/south', networkId: tower.networkId })
  await fresh.book.take(agg.book.recordsFor('/south').map(({ bytes }) => bytes))
  const codes = []
  for (const bytes of [...stolen, genesis]) {
    const taken = await fresh.documents.takeGenesis(bytes, owner, 'tower')
    codes.push(taken.ok ? 'taken' : taken.refusal.code)
  }
  t.deepEqual(codes, ['not-enough-signatures', 'not-entitled', 'wrong-owner', 'taken'])
  const edit = () => new Map([['policy', narrowingText({ logs: 'all' })]])
  const [written] = await fresh.documents.write([{ documentId: id, edit }], tower.signer)
  t.like(written, { ok: false })
})

test('what stands in the own lane, and what a parent narrows, has the form of format 1', (t) => {
  const policy = Object.fromEntries(policyKinds.map((kind) => [kind, 'none' as const])) as ZonePolicy
  const values = ownLaneValues(
    { policy, settle: 'zone' },
    [siteOf('/south/s1', [{ name: 's1-a', hostId: 'SN1' }])],
    ['child/s0', 'other/x'],
  )
  const levels = [...policyKinds].toSorted().map((kind) => `"${kind}":"none"`)
  t.deepEqual(Object.fromEntries(values), {
    policy: `{"_v":1,"levels":{${levels.join(',')}}}`,
    settle: '{"_v":1,"by":"zone"}',
    'child/s1': '{"_v":1,"kind":"site","labels":{"shop.example/size":"large"},"scope":"/south/s1"}',
    'join/s1-a': '{"_v":1,"child":"s1","hostId":"SN1"}',
    'child/s0': '{"_v":1,"gone":true}',
  })
  t.is(narrowingText({ logs: 'none', reports: 'summary' }), '{"_v":1,"levels":{"logs":"none","reports":"summary"}}')
  const standing = (key: string, texts: readonly string[]) =>
    new Map([[key, texts.map((value) => ({ value }) as unknown as Put)]])
  t.deepEqual(
    readNarrowings(standing('narrowing', ['{"_v":1,"levels":{"logs":"none"},"new":1}', 'x', '{"levels":{}}'])),
    [{ logs: 'none' }],
  )
  t.is(readOwnLane(standing('settle', ['{"_v":1,"by":"ancestor"}', '{"_v":1,"by":"zone"}'])).settle, 'zone')
})
