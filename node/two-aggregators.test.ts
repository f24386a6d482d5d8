import test, { type ExecutionContext } from 'ava'
import type { Mesh, MeshLink, MeshStream } from '../mesh/index.ts'
import { asked, startTreeOf, type Tree, until } from './tree-scene.contract.ts'

/** A zone `north` of two aggregators; site `far` is linked to the first, site `farther` to the second. */
const startPair = async (t: ExecutionContext, north: string): Promise<Tree> => {
  const tree = await startTreeOf(t, north)
  tree.topologyText = tree.topologyText
    .replace('hosts: [{ name: north-agg }]', 'hosts: [{ name: north-agg }, { name: north-two }]')
    .replace('      - name: far\n', '      - name: farther\n        hosts: [{ name: farther-a }]\n      - name: far\n')
  const [zone, host] = [tree.places['north-agg']!, tree.places['far-a']!]
  const site = { ...host, scope: '/north/farther', site: 'farther', parents: ['north-two'] }
  tree.places = { ...tree.places, 'north-two': zone, 'farther-a': site }
  for (const name of ['tower', 'north-agg', 'north-two']) await tree.start(name)
  return tree
}

const shop = `name: shop
version: "1"
services:
  - name: web
    mode: one-per-matching-host
    containers:
      - name: web
        image: demo:1
`
const everywhere = 'name: out\napplication: shop\napplication-version: "1"\nplacement: { all-sites: true }\n'

/** Puts the shop at the two sites, and waits until it runs there. */
const deployShop = async (tree: Tree): Promise<void> => {
  await tree.importImage('demo:1')
  await tree.apply('applications', shop)
  await tree.apply('application-deployments', everywhere)
  for (const host of ['far-a', 'farther-a']) await until(`the shop to run at ${host}`, () => tree.runningVersion(host))
}

/** How sites fare, as one node says: like `far 1`, with the instances that are ready. */
const sitesAt = async (tree: Tree, name: string): Promise<readonly string[]> => {
  const found = await tree.node(name).services.state.application('shop', asked)
  return (found?.sites ?? []).map(
    ({ site, ready, unknown }) => `${site} ${ready.count} of ${ready.count + unknown.count}`,
  )
}

test('each aggregator of a zone shows how the sites that are linked to the other fare, also without the tower', async (t) => {
  const tree = await startPair(t, 'labels: {}')
  for (const name of ['far-a', 'farther-a']) await tree.start(name)
  await deployShop(tree)
  await tree.stop('tower')
  const whole = ['far 1 of 2', 'farther 1 of 1']
  for (const name of ['north-agg', 'north-two']) {
    await until(`${name} to know all sites`, async () =>
      JSON.stringify(await sitesAt(tree, name)) === JSON.stringify(whole) ? true : undefined,
    )
    const hosts = await tree.node(name).services.state.hosts(asked)
    t.deepEqual(hosts.map((one) => `${one.name} ${one['oper-status']}`).toSorted(), [
      'far-a up',
      'far-b unknown',
      'farther-a up',
    ])
    t.is((await tree.node(name).services.state.serviceInstances('shop', asked))?.filter(({ ready }) => ready).length, 2)
  }
  const { state } = tree.node('north-two').services
  t.regex(JSON.stringify(await state.explain('shop', { ...asked, site: 'far' })), /ready/)
  // It cannot be asked there, and says so.
  await t.throwsAsync(tree.node('north-two').services.state.node({ ...asked, site: 'far' }), {
    code: 'site-unreachable',
  })

  // What was heard last stays, with its age, once the other one is gone.
  await tree.stop('north-agg')
  await until('the second to lose the first', async () => {
    const far = (await state.hosts(asked)).find((one) => one.name === 'far-a')
    return far?.['oper-status'] === 'unknown' && far.note?.startsWith('link down for') ? true : undefined
  })
})

test('a second aggregator of a privacy zone acts once the first put its key on the list, and both are needed where two are', async (t) => {
  const tree = await startTreeOf(t, 'privacy: true', 'tower')
  tree.topologyText = tree.topologyText
    .replace('hosts: [{ name: north-agg }]', 'hosts: [{ name: north-agg }, { name: north-two }]')
    .replace('      - name: far\n', '      - name: farther\n        hosts: [{ name: farther-a }]\n      - name: far\n')
  await tree.stop('tower')
  await tree.start('tower')
  const zone = tree.places['north-agg']!
  const site = { ...tree.places['far-a']!, scope: '/north/farther', site: 'farther', parents: ['north-two'] }
  tree.places = { ...tree.places, 'north-two': zone, 'farther-a': site }
  await tree.start('north-agg')
  await tree.start('far-a')
  await tree.start('north-two')
  const [one, two] = [tree.node('north-agg').services.authority, tree.node('north-two').services.authority]
  const { id } = await one.show(undefined, asked)
  t.is((await two.show(undefined, asked)).id, id)
  await t.throwsAsync(tree.node('north-two').services.members.token('farther-a', asked), { code: 'not-ready' })

  const waiting = await until('the first to hear of the second', async () => {
    const [found] = (await one.show(undefined, asked)).waiting
    return found?.host === 'north-two' ? found : undefined
  })
  t.deepEqual(
    await one.renew('/north', { ...asked, add: [waiting.fingerprint.slice(0, 16)], remove: [], threshold: 2 }),
    {
      scope: '/north',
      outcome: 'made',
      generation: 2,
    },
  )
  await until('the second to hear of it, and the zone above to sign it', async () => {
    const view = await two.show(undefined, asked)
    return view.generation === 2 && view.countersigned ? true : undefined
  })
  t.like(await tree.node('tower').services.authority.show('/north', asked), { id, generation: 2, threshold: 2 })
  // It enrols a host under the authority of the zone.
  await until('the second to enrol', async () =>
    tree.start('farther-a').then(
      () => true as const,
      () => undefined,
    ),
  )
  await until('the host to join', async () =>
    (await tree.node('farther-a').services.state.node(asked)).parent?.link === 'up' ? true : undefined,
  )
  t.like(await tree.node('farther-a').services.authority.show('/north', asked), { id, generation: 2 })
  // Each hears from the other, and from nobody else, of the host that joined there.
  for (const [name, host] of [
    ['north-agg', 'farther-a'],
    ['north-two', 'far-a'],
  ] as const)
    await until(`${name} to know ${host}`, async () => {
      const listed = await tree.node(name).services.members.list({ ...asked, zone: '/north' })
      return listed.some((one) => one.name === host && one.fingerprint !== undefined) ? true : undefined
    })

  const draft = await one.renew('/north', { ...asked, add: [], remove: [], threshold: 1 })
  t.like(draft, { outcome: 'draft', generation: 3, signed: 1, needed: 2 })
  t.like(await two.sign('/north', draft.draft ?? '', asked), { outcome: 'made', generation: 3 })
  await until('the first to hear of it', async () =>
    (await one.show(undefined, asked)).generation === 3 ? true : undefined,
  )
})

/** A mesh that sends otherwise than its node has it: what is to be sent for a message, or nothing. */
const sendingOtherwise = (
  mesh: Mesh,
  change: (message: Uint8Array, purpose: string, link: MeshLink) => Uint8Array | undefined,
): Mesh => {
  const changedStream = (link: MeshLink, stream: MeshStream): MeshStream => ({
    purpose: stream.purpose,
    priority: stream.priority,
    messages: stream.messages,
    send: async (message) => {
      const changed = change(message, stream.purpose, link)
      if (changed !== undefined) await stream.send(changed)
    },
    close: () => stream.close(),
    abort: (why) => stream.abort(why),
  })
  const changedLink = (link: MeshLink): MeshLink => {
    const { openStream } = link
    return Object.assign(link, {
      openStream: async (...given: Parameters<typeof openStream>) => changedStream(link, await openStream(...given)),
    })
  }
  return {
    ...mesh,
    dial: async (...given) => changedLink(await mesh.dial(...given)),
    onLink: (accept) => mesh.onLink((link) => accept(changedLink(link))),
    onStream: (link, accept) => mesh.onStream(link, (stream) => accept(changedStream(link, stream))),
  }
}

test('an aggregator that never hears what another one holds tells its sites what is wanted nevertheless', async (t) => {
  t.timeout(60_000)
  const tree = await startPair(t, 'labels: {}')
  await tree.start('far-a')
  await tree.stop('north-two')
  await tree.importImage('demo:1')
  await tree.apply('applications', shop)
  let isMuted = false
  const { makeMesh } = tree
  tree.makeMesh = (identity, listen) => {
    const mesh = makeMesh(identity, listen)
    if (listen[0] !== 'north-two') return mesh
    return sendingOtherwise(mesh, (message, purpose, { peer }) => {
      const isForFellow = purpose === 'documents' && peer === tree.keys.get('north-agg')
      isMuted ||= isForFellow
      return isForFellow ? undefined : message
    })
  }
  await tree.start('north-two')
  await until('the two to be linked', () => isMuted || undefined)
  await tree.apply('application-deployments', everywhere)
  t.is(await until('the shop to run at far-a', () => tree.runningVersion('far-a')), '1')
})

/** What an aggregator tells of hosts, with a byte changed in each word that a host signed. */
const lie = (bytes: Uint8Array): Uint8Array => {
  const said = JSON.parse(new TextDecoder().decode(bytes.subarray(1)))
  for (const host of said.hosts) {
    const snapshot = Buffer.from(host.snapshot, 'base64')
    snapshot[120]! ^= 1
    host.snapshot = snapshot.toString('base64')
  }
  return Buffer.concat([bytes.subarray(0, 1), Buffer.from(JSON.stringify(said))])
}

test('what another aggregator tells of a host counts as that host signed it, or not at all', async (t) => {
  const tree = await startPair(t, 'labels: {}')
  await tree.stop('north-two')
  const { makeMesh } = tree
  tree.makeMesh = (identity, listen) => {
    const mesh = makeMesh(identity, listen)
    if (listen[0] !== 'north-two') return mesh
    return sendingOtherwise(mesh, (message, purpose) => (purpose === 'reports' ? lie(message) : message))
  }
  const refused = new Set<string>()
  tree.onLine = (node, { part, fields }) => {
    if (node === 'north-agg' && part.includes('fellow-reports')) refused.add(String(fields.code))
  }
  await tree.start('north-two')
  for (const name of ['far-a', 'farther-a']) await tree.start(name)
  await deployShop(tree)
  await until('the first to refuse what the second changed', () => (refused.size > 0 ? true : undefined))
  t.deepEqual([...refused], ['bad-signature'])
  const noteAt = async (name: string, host: string) =>
    (await tree.node(name).services.state.hosts(asked)).find((one) => one.name === host)?.note
  t.is(await noteAt('north-agg', 'farther-a'), 'never heard of')
  // The other way all is told, and taken.
  await until('the second to hear of the site of the first', async () =>
    (await noteAt('north-two', 'far-a')) === undefined ? true : undefined,
  )
})

test('of a zone that lets out counts alone each aggregator counts all hosts', async (t) => {
  const tree = await startPair(t, 'policy: { reports: summary }')
  for (const name of ['far-a', 'far-b', 'farther-a']) await tree.start(name)
  await deployShop(tree)
  t.timeout(60_000)
  const counts = async (): Promise<string | undefined> => {
    const [zone] = (await tree.node('tower').services.state.application('shop', asked))?.zones ?? []
    return zone && `${zone.zone}: ${zone.ready.count} of ${zone.wanted.count} ready, ${zone.unknown.count} unknown`
  }
  for (const [silent, speaks] of [
    ['north-agg', 'north-two'],
    ['north-two', 'north-agg'],
  ] as const) {
    // A tower that remembers no counts, and hears those of one alone.
    await tree.stop('tower')
    tree.sever(silent)
    await tree.start('tower')
    const whole = '/north: 3 of 3 ready, 0 unknown'
    await until(`${speaks} to count all`, async () => ((await counts()) === whole ? true : undefined))
    t.pass()
    tree.mend(silent)
  }
})
