import test from 'ava'
import { asked, startTreeOf, until } from './tree-scene.contract.ts'

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
