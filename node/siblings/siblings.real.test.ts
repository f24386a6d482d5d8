import { readdirSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type LogLine, silentLog } from '../../base/index.ts'
import { createLibp2pMesh } from '../../mesh/libp2p/index.ts'
import { systemClock } from '../powers/index.ts'
import { shop, shopEverywhere } from '../shop.contract.ts'
import { asked, emptyTree, type Tree, until } from '../tree-scene.contract.ts'

/** Ports of this machine that nobody listens at now. */
const freePorts = (count: number): Promise<readonly number[]> => {
  const one = () =>
    new Promise<{ port: number; close: () => void }>((resolve) => {
      const server = createServer()
      server.listen(0, '127.0.0.1', () =>
        resolve({ port: (server.address() as { port: number }).port, close: () => server.close() }),
      )
    })
  return Promise.all(Array.from({ length: count }, one)).then((all) =>
    all.map(({ port, close }) => {
      close()
      return port
    }),
  )
}

/** A zone of two sites over real links; with `privacy` it has an authority of its own. */
const startZone = async (t: ExecutionContext, privacy: boolean, onLine: (line: LogLine) => void): Promise<Tree> => {
  const [tower = 0, agg = 0, one = 0, two = 0] = await freePorts(4)
  const addresses: Readonly<Record<string, string>> = {
    tower: `127.0.0.1:${tower}`,
    'south-agg': `127.0.0.1:${agg}`,
    's1-a': `127.0.0.1:${one}`,
    's2-a': `127.0.0.1:${two}`,
  }
  const tree = emptyTree(t)
  tree.onLine = (node, line) => {
    if (node === 'south-agg') onLine(line)
  }
  tree.addressOf = (name) => addresses[name] ?? ''
  tree.makeMesh = ({ seed, networkId }, listen) =>
    createLibp2pMesh({ seed, prologue: Buffer.from(networkId, 'hex'), listen, clock: systemClock, log: silentLog })
  const edge = (site: string) => ({
    role: 'edge' as const,
    scope: `/south/${site}`,
    site,
    parents: ['south-agg'],
    listen: [addresses[`${site}-a`] ?? ''],
  })
  tree.places = {
    tower: { role: 'tower', scope: '/', site: '', parents: [] },
    'south-agg': { role: 'aggregator', scope: '/south', site: '', parents: ['tower'] },
    's1-a': edge('s1'),
    's2-a': edge('s2'),
  }
  tree.topologyText = `version: 1
network: test
towers:
  site: head
  hosts: [{ name: tower }]
zones:
  - name: south
    privacy: ${privacy}
    aggregators:
      hosts: [{ name: south-agg }]
    sites:
      - { name: s1, siblings: ["${addresses['s1-a']}"], hosts: [{ name: s1-a }] }
      - { name: s2, siblings: ["${addresses['s2-a']}"], hosts: [{ name: s2-a }] }
`
  for (const name of ['tower', 'south-agg', 's1-a', 's2-a']) await tree.start(name)
  return tree
}

const roll = async (tree: Tree, version: string) => {
  await tree.importImage(`demo:${version}`)
  await tree.apply('applications', shop(version, `demo:${version}`))
  await tree.apply('application-deployments', shopEverywhere(version))
}
/** Blobs at a host that are larger than a specification. */
const archivesOf = (tree: Tree, name: string): number => {
  const folder = join(tree.folder, name, 'archives')
  return readdirSync(folder).filter((file) => /^[0-9a-f]{64}$/.test(file) && statSync(join(folder, file)).size > 4_096)
    .length
}
const runs = (tree: Tree, name: string, version: string) =>
  until(`${name} to run ${version}`, async () => ((await tree.runningVersion(name)) === version ? true : undefined))

for (const privacy of [true, false])
  test(`a site that missed a revision gets it and its layers from a sibling, ${privacy ? 'in a privacy zone' : 'in an open zone'}`, async (t) => {
    t.timeout(120_000)
    const left = { number: 0, atMs: 0 }
    const tree = await startZone(t, privacy, (line) => {
      if (line.message !== 'left what a site may need with siblings' || line.fields.site !== '/south/s2') return
      left.number = Number(line.fields.number)
      left.atMs = systemClock.monotonicMs()
    })
    await roll(tree, '1')
    await runs(tree, 's1-a', '1')
    await runs(tree, 's2-a', '1')
    // Changes are gathered for a second: after two nothing of the first revision is on its way any more.
    await until('the first revision to be left', () =>
      left.number > 0 && systemClock.monotonicMs() - left.atMs > 2_000 ? true : undefined,
    )
    const before = left.number
    await tree.stop('s2-a')
    await roll(tree, '2')
    await runs(tree, 's1-a', '2')
    await until('the deposit to be left', () => (left.number > before ? true : undefined))
    await tree.stop('south-agg')
    await tree.stop('tower')
    const host = await tree.start('s2-a')
    await runs(tree, 's2-a', '2')
    const { parent } = await host.services.state.node(asked)
    t.is(parent?.link, 'down')
    t.is(archivesOf(tree, 's1-a'), 1, 'it keeps the archive others may need, and not the one before')
    t.regex(parent?.siblings ?? '', /^repaired from a sibling \d+s ago$/)
    const told = await host.services.state.explain('shop', { ...asked, site: 's2' })
    t.regex(told.note ?? '', /link down for .*; repaired from a sibling/)
    // Whoever kept it learned nothing of it: what it keeps is sealed.
    t.true(told.ok)
  })
