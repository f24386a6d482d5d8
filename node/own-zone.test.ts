import test from 'ava'
import { asked, startTreeOf, type Tree, until } from './tree-scene.contract.ts'

const application = `name: shop
version: "1"
services:
  - name: web
    mode: one-per-matching-host
    containers:
      - name: web
        image: demo:1
`
const deployment = `name: everywhere
application: shop
application-version: "1"
placement: { all-sites: true }
`

const privacyTree = async (t: Parameters<typeof startTreeOf>[0]): Promise<Tree> => {
  const tree = await startTreeOf(t, 'privacy: true', 'tower', 'north-agg', 'near-a', 'far-a')
  await tree.importImage('demo:1')
  await tree.apply('applications', application)
  await tree.apply('application-deployments', deployment)
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
