import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { createSeededRandom, silentLog } from '../../base/index.ts'
import {
  type Book,
  createBook,
  createDocuments,
  createNodeSignatures,
  type Documents,
  nodeHash,
  type Signer,
  type Store,
} from '../../crdt/index.ts'
import { type KeptKey, loadIdentity } from '../identity.ts'
import { createStateFile, systemClock } from '../powers/index.ts'
import { emptyTree, type Tree, until } from '../tree-scene.contract.ts'

export const powers = { signatures: createNodeSignatures(), hash: nodeHash }

const edge = (name: string) => ({
  role: 'edge' as const,
  scope: `/south/${name.slice(0, 2)}`,
  site: name.slice(0, 2),
  parents: ['south-agg'],
  listen: [name],
})

/** Two sites of one zone, each the other's sibling, and what the aggregator left of the first revision. */
export const startSiblings = async (t: ExecutionContext): Promise<Tree> => {
  const tree = emptyTree(t)
  tree.places = {
    tower: { role: 'tower', scope: '/', site: '', parents: [] },
    'south-agg': { role: 'aggregator', scope: '/south', site: '', parents: ['tower'] },
    's1-a': edge('s1-a'),
    's2-a': edge('s2-a'),
  }
  // The file wants ports; the memory mesh knows names.
  tree.topologyText = `version: 1
network: test
towers:
  site: head
  hosts: [{ name: tower }]
zones:
  - name: south
    aggregators:
      hosts: [{ name: south-agg }]
    sites:
      - { name: s1, siblings: ["s1-a:1"], hosts: [{ name: s1-a }] }
      - { name: s2, siblings: ["s2-a:1"], hosts: [{ name: s2-a }] }
`
  let left = 0
  tree.onLine = (_, line) => {
    if (line.message === 'left what a site may need with siblings' && line.fields.site === '/south/s2')
      left = systemClock.monotonicMs()
  }
  for (const name of ['tower', 'south-agg', 's1-a', 's2-a']) await tree.start(name)
  await tree.importImage('demo:1')
  await tree.apply(
    'applications',
    'name: shop\nversion: "1"\nservices:\n  - name: web\n    mode: one-per-matching-host\n    containers:\n      - { name: web, image: "demo:1" }\n',
  )
  await tree.apply(
    'application-deployments',
    'name: everywhere\napplication: shop\napplication-version: "1"\nplacement: { all-sites: true }\n',
  )
  for (const name of ['s1-a', 's2-a'])
    await until(`${name} to run`, async () => ((await tree.runningVersion(name)) === '1' ? true : undefined))
  // Changes are gathered for a second: after two nothing is on its way any more.
  await until('the deposit to be left', () => (left > 0 && systemClock.monotonicMs() - left > 2_000 ? true : undefined))
  return tree
}

/** What a stopped node has on its disk: what a thief of that disk has. */
export interface HeldDisk {
  readonly store: Store
  readonly book: Book
  readonly documents: Documents
  readonly certificate: Uint8Array
  readonly signer: Signer
  readonly key: string
  readonly networkId: string
}

export const openDisk = async (tree: Tree, name: string): Promise<HeldDisk> => {
  const disk = tree.disks.get(name)
  if (disk === undefined) throw new Error(name)
  const store = disk.store()
  await store.open()
  const { networkId } = tree
  const book = createBook({ store, powers, log: silentLog, networkId })
  await book.open()
  const documents = createDocuments({
    store,
    networkId: () => networkId,
    powers,
    random: createSeededRandom(5),
    log: silentLog,
  })
  await documents.open()
  const file = createStateFile<KeptKey>(join(tree.folder, name, 'key.json'))
  const { signer, peerKey } = loadIdentity(file, createSeededRandom(1), powers.signatures)
  const certificate = book.certificateOf(signer.keyId)?.bytes ?? new Uint8Array(0)
  return { store, book, documents, certificate, signer, key: peerKey, networkId }
}
