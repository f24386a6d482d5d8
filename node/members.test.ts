import test from 'ava'
import { shop, shopEverywhere } from './shop.contract.ts'
import { asked, startTree, until } from './tree-scene.contract.ts'

test('a host without a token waits until an operator says yes to its fingerprint', async (t) => {
  const tree = await startTree(t, 'tower')
  tree.givesTokens = false
  const edge = await tree.start('near-a')
  const { members } = tree.node('tower').services
  const waiting = await until('near-a to wait', async () =>
    (await members.list(asked)).find((one) => one['oper-status'] === 'waiting'),
  )
  const own = await edge.services.state.node(asked)
  t.is(waiting.fingerprint, own.fingerprint)
  t.is((await edge.services.state.node(asked)).parent?.refusal, 'waiting')
  const claimed = await members.claim({ fingerprint: waiting.fingerprint ?? '' }, 'near-a', asked)
  t.is(claimed['oper-status'], 'enrolled')
  await until('near-a linked', async () =>
    (await edge.services.state.node(asked)).parent?.link === 'up' ? true : undefined,
  )
})

test('a blocked site gets nothing more and runs on; allowed again, it catches up by itself', async (t) => {
  const tree = await startTree(t, 'tower', 'north-agg', 'far-a', 'far-b', 'near-a')
  await tree.importImage('demo:1')
  await tree.apply('applications', shop('1'))
  await tree.apply('application-deployments', shopEverywhere('1'))
  const running = (name: string) => tree.runningVersion(name)
  await until('version 1', async () => ((await running('far-a')) === '1' ? true : undefined))
  const { members } = tree.node('tower').services
  const blocked = await members.block({ kind: 'site', site: 'far' }, asked)
  t.deepEqual(
    blocked.map(({ name, 'oper-status': status }) => `${name} ${status}`),
    ['far-a blocked', 'far-b blocked'],
  )
  const far = tree.node('far-a').services
  await until('far cut', async () => ((await far.state.node(asked)).parent?.refusal === 'blocked' ? true : undefined))
  await tree.apply('applications', shop('2'))
  await tree.apply('application-deployments', shopEverywhere('2'))
  await until('version 2 elsewhere', async () => ((await running('near-a')) === '2' ? true : undefined))
  t.is(await running('far-a'), '1')
  t.is((await far.state.node(asked)).parent?.link, 'down')
  await t.throwsAsync(members.token('far-a', asked), { code: 'blocked' })
  await members.allow({ kind: 'site', site: 'far' }, asked)
  await until('version 2 here too', async () => ((await running('far-a')) === '2' ? true : undefined))
  await t.throwsAsync(members.allow({ kind: 'site', site: 'far' }, asked), { code: 'not-blocked' })
})

test('names nobody knows are refused with what there is', async (t) => {
  const tree = await startTree(t, 'tower', 'near-a')
  const { members } = tree.node('tower').services
  const { state } = tree.node('near-a').services
  await until('near-a linked', async () => ((await state.node(asked)).parent?.link === 'up' ? true : undefined))
  await t.throwsAsync(members.token('near-b', asked), { code: 'not-found', message: /near-a/ })
  await t.throwsAsync(members.token('near-a', asked), { code: 'already-enrolled' })
  await t.throwsAsync(members.claim({ hostId: 'nobody' }, 'near-a', asked), { code: 'not-found' })
  await t.throwsAsync(members.list({ ...asked, zone: '/nowhere' }), { code: 'not-found', message: /\/north/ })
})
