import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { silentLog } from '../base/index.ts'
import {
  certificateKind,
  countersign,
  createBook,
  createNodeSignatures,
  fromHex,
  keyListKind,
  nodeHash,
  sealRecord,
  toHex,
  verdictKind,
} from '../crdt/index.ts'
import { makeFirstList } from './services/membership/index.ts'
import { shop, shopEverywhere } from './shop.contract.ts'
import { asked, startTreeOf, type Tree, until } from './tree-scene.contract.ts'

const privacyTree = async (t: Parameters<typeof startTreeOf>[0]): Promise<Tree> => {
  const tree = await startTreeOf(t, 'privacy: true', 'tower', 'north-agg', 'near-a', 'far-a')
  await tree.importImage('demo:1')
  await tree.apply('applications', shop('1'))
  await tree.apply('application-deployments', shopEverywhere('1'))
  return tree
}
const runs = (tree: Tree, host: string) =>
  until(`${host} to run`, async () => ((await tree.runningVersion(host)) === '1' ? true : undefined))

test('an application reaches a site whose zone rules itself, also after all nodes started again', async (t) => {
  const tree = await privacyTree(t)
  await runs(tree, 'far-a')
  for (const name of ['far-a', 'north-agg', 'tower']) await tree.stop(name)
  for (const name of ['tower', 'north-agg', 'far-a']) await tree.start(name)
  await runs(tree, 'far-a')
  const above = await until('counts of the zone at the tower', async () =>
    (await tree.node('tower').services.state.application('shop', asked))?.zones?.find(({ zone }) => zone === '/north'),
  )
  t.truthy(above)
})

/** Takes into the store of a tower that stands still what its key alone can sign against the zone `/north`. */
const signAsThief = async (tree: Tree, zone: string): Promise<void> => {
  const powers = { signatures: createNodeSignatures(), hash: nodeHash }
  const file = readFileSync(join(tree.folder, 'tower', 'key.json'), 'utf8')
  const { value } = JSON.parse(file) as { readonly value: { readonly seed: string } }
  const [tower, thief] = [powers.signatures.signer(fromHex(value.seed)), powers.signatures.signer(new Uint8Array(32))]
  const store = tree.disks.get('tower')!.store()
  await store.open()
  const book = createBook({ store, powers, log: silentLog })
  await book.open()
  const network = book.networkId() ?? ''
  const held = book.owner(zone)!
  const issuer = book.ownerAt('/', 'zone')!
  const granted = {
    network,
    owner: 'f0'.repeat(16),
    role: 'zone' as const,
    scope: '/north',
    succession: 'granted' as const,
    generation: 1,
    previous: null,
    keys: [toHex(thief.publicKey)],
    threshold: 1,
  }
  const certificate = {
    network,
    key: toHex(thief.publicKey),
    role: 'aggregator' as const,
    scope: '/north',
    site: null,
    host: 'north-agg',
    capabilities: ['admit', 'join'],
    issuer: issuer.id,
    generation: issuer.generation,
    number: 1,
    sealing: null,
    fromMs: 0,
    untilMs: 9e15,
  }
  const rival = makeFirstList({ network, scope: '/north', signer: thief }, powers)
  const verdict = { network, owner: zone, generation: 1, list: held.list, verdict: 'retired' as const }
  const taken = await book.take([
    sealRecord(keyListKind, granted, [tower], powers).bytes,
    countersign(keyListKind, rival, [tower]).bytes,
    sealRecord(certificateKind, certificate, [tower], powers).bytes,
    sealRecord(verdictKind, verdict, [tower], powers).bytes,
  ])
  await store.close()
  const refused = taken.flatMap((one) => (one.kind === 'refused' ? [one.refusal.message] : []))
  if (refused.length > 0) throw new Error(`the tower does not believe its own key: ${refused.join('; ')}`)
}

const policyAt = async (tree: Tree, node: string) => (await tree.node(node).services.state.zonePolicy('/north', asked))!

test('a zone goes by its own policy, tightened by what the zone above narrows, and by nothing that widens it', async (t) => {
  const north = 'policy: { reports: none, logs: all }'
  const tree = await startTreeOf(t, north, 'tower', 'north-agg', 'far-a')
  const tower = tree.node('tower').services
  t.is((await policyAt(tree, 'north-agg')).policy.operations, 'all')
  t.deepEqual(
    (await tower.members.list({ ...asked, zone: '/north' })).map(({ name }) => name),
    ['far-a', 'far-b'],
  )
  t.deepEqual(await tower.authority.narrow('/north', { operations: 'none', reports: 'summary' }, asked), {
    scope: '/north',
    narrowing: { operations: 'none', reports: 'summary' },
  })
  const told = await until('north to hear of it', async () => {
    const view = await policyAt(tree, 'north-agg')
    return view.policy.operations === 'none' ? view : undefined
  })
  t.is(told.policy.reports, 'none', 'more than the zone lets out stays inside')
  t.true(told.notes.includes('Narrowed below what the file says: operations none (not all).'), told.notes.join('; '))
  t.true(told.notes.includes('The zone above would let out reports: summary; refused, /north lets out none.'))
  await t.throwsAsync(tower.members.list({ ...asked, zone: '/north' }), { message: /beyond here \/north answers/ })

  // It stands in the lane: also after a restart, and it is taken back kind by kind.
  await tree.stop('north-agg')
  await tree.start('north-agg')
  t.is((await policyAt(tree, 'north-agg')).policy.operations, 'none')
  t.deepEqual((await tower.authority.narrow('/north', { operations: 'own' }, asked)).narrowing, { reports: 'summary' })
  await until('north to hear of it', async () =>
    (await policyAt(tree, 'north-agg')).policy.operations === 'all' ? true : undefined,
  )
  await t.throwsAsync(tower.authority.narrow('/north', { names: 'summary' }, asked), { code: 'invalid-input' })
  await t.throwsAsync(tree.node('north-agg').services.authority.narrow('/north', { logs: 'none' }, asked), {
    code: 'beyond-border',
    message: /narrowed by the zone right above, \//,
  })
})

test('the zone above goes by what the zone says of itself, where it may read that', async (t) => {
  const tree = await startTreeOf(t, 'labels: {}', 'tower')
  tree.topologyText = tree.topologyText.replace('labels: {}', 'policy: { logs: none }')
  await tree.start('north-agg')
  const told = await until('the tower to hear of it', async () => {
    const view = await policyAt(tree, 'tower')
    return view.policy.logs === 'none' ? view : undefined
  })
  t.true(told.notes.includes('Narrowed below what the file says: logs none (not all).'), told.notes.join())
})

test('who speaks for a zone is shown where it is known, and changed where it is at home', async (t) => {
  const tree = await startTreeOf(t, 'privacy: true', 'tower', 'north-agg')
  const [tower, north] = [tree.node('tower').services.authority, tree.node('north-agg').services.authority]
  const own = await north.show(undefined, asked)
  t.like(own, { scope: '/north', succession: 'own', generation: 1, threshold: 1, countersigned: true, waiting: [] })
  t.like(own.keys[0], { host: 'north-agg' })
  t.deepEqual(await tower.show('/north', asked), own)
  t.like(await tower.show('/', asked), { succession: 'granted', keys: [{ host: 'tower' }] })
  await t.throwsAsync(tower.show('/south', asked), { code: 'not-found' })
  await t.throwsAsync(tower.renew('/north', { ...asked, add: [], remove: [], threshold: 1 }), {
    code: 'beyond-border',
    message: /beyond here \/north answers/,
  })
  await t.throwsAsync(north.renew('/north', { ...asked, add: [], remove: [], threshold: 1 }), { code: 'conflict' })
  await t.throwsAsync(north.retire('/north', own.id, asked), { code: 'beyond-border' })
  const { lost } = await tower.retire('/north', own.id.slice(0, 16), asked)
  t.regex(lost.join(' '), /closed for ever/)
  // Its aggregator still has the keys: the parent is told the same list again, and goes on not to believe it.
  t.is((await north.show(undefined, asked)).id, own.id)
  await tree.stop('north-agg')
  await tree.start('north-agg')
  await t.throwsAsync(tower.show('/north', asked), { code: 'not-ready' })
})

test('a zone that was granted its keys before it was a privacy zone says so and stays as it is', async (t) => {
  const tree = await startTreeOf(t, 'privacy: false', 'tower', 'north-agg', 'far-a')
  const unsettled: string[] = []
  for (const name of ['north-agg', 'tower']) await tree.stop(name)
  tree.topologyText = tree.topologyText.replace('privacy: false', 'privacy: true')
  tree.onLine = (node, { fields }) => void (fields.code === 'unsettled' && unsettled.push(node))
  for (const name of ['tower', 'north-agg']) await tree.start(name)
  const view = await tree.node('north-agg').services.authority.show('/north', asked)
  t.is(view.succession, 'granted')
  t.regex(view.notes.join(), /it was founded before zones had an authority of their own, and stays so/)
  await tree.importImage('demo:1')
  await tree.apply('applications', shop('1'))
  await tree.apply('application-deployments', shopEverywhere('1'))
  await runs(tree, 'far-a')
  t.deepEqual(unsettled, [], 'what left before is compared by neither end')
})

test('a tower run by a thief of its key hands down what it signs, and a zone that rules itself believes none of it', async (t) => {
  const tree = await privacyTree(t)
  await runs(tree, 'far-a')
  const held = await tree.node('north-agg').services.authority.show('/north', asked)
  const lines: string[] = []
  tree.onLine = (node, { fields }) => void (node === 'north-agg' && lines.push(String(fields.code)))
  await tree.stop('tower')
  await signAsThief(tree, held.id)
  await tree.start('tower')
  const above = await tree.node('tower').services.authority.show('/north', asked)
  t.not(above.id, held.id, 'the thief runs a tower that believes itself')
  await until('the aggregator to hear of it', async () =>
    ['unknown-issuer', 'out-of-scope'].every((code) => lines.includes(code)) ? true : undefined,
  )
  for (const node of ['north-agg', 'far-a'])
    t.like(await tree.node(node).services.authority.show('/north', asked), { id: held.id, generation: 1 })
  await tree.start('far-b')
  await until('the zone to enrol a host under its own authority', async () =>
    (await tree.node('far-b').services.state.node(asked)).parent?.link === 'up' ? true : undefined,
  )
  t.like(await tree.node('far-b').services.authority.show('/north', asked), { id: held.id })
})

test('a zone that lost its keys comes back under another id once an operator above ended the old one', async (t) => {
  const tree = await privacyTree(t)
  await runs(tree, 'far-a')
  const tower = tree.node('tower').services
  const old = await tower.authority.show('/north', asked)
  for (const name of ['far-a', 'north-agg']) {
    await tree.stop(name)
    tree.disks.delete(name)
    rmSync(join(tree.folder, name), { recursive: true })
  }
  tree.givesTokens = false
  const back = tree.start('north-agg')
  await until('the new key to be let in', () =>
    tower.members.claim({ hostId: 'north-agg' }, 'north-agg', asked).then(
      () => true as const,
      () => undefined,
    ),
  )
  await back
  const north = tree.node('north-agg').services
  await t.throwsAsync(north.members.token('far-a', asked), { code: 'not-ready' })
  const waits = await until('the tower to hear of it', async () => {
    const view = await tower.authority.show('/north', asked)
    return view.rival === undefined ? undefined : view
  })
  t.is(waits.id, old.id)
  t.regex(waits.notes.join('\n'), new RegExp(`zones authority /north --retire ${old.id.slice(0, 16)}`))
  t.regex(waits.notes.join('\n'), /if you do: hosts inside \/north believe that id alone: enrol each anew/)
  await tower.authority.retire('/north', old.id.slice(0, 16), asked)
  const now = await until('the zone to speak for itself again', async () => {
    const view = await north.authority.show('/north', asked)
    return view.countersigned ? view : undefined
  })
  t.is(now.id, waits.rival?.id ?? '')
  tree.tokens.set('far-a', (await north.members.token('far-a', asked)).token ?? '')
  await tree.start('far-a')
  await until('the host to be enrolled anew', async () =>
    (await tree.node('far-a').services.state.node(asked)).parent?.link === 'up' ? true : undefined,
  )
  await runs(tree, 'far-a')
  t.is((await tree.node('far-a').services.authority.show('/north', asked)).id, now.id)
})
