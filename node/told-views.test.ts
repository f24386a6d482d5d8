import test from 'ava'
import { parseScopePath } from '../base/index.ts'
import { createMemoryDisk, type LaneSummary, type LaneView, type ReadEntry } from '../crdt/index.ts'
import { createToldViews } from './told-views.ts'

const entry: ReadEntry = {
  decision: 'd'.repeat(32),
  version: 'a'.repeat(64),
  step: 0,
  share: null,
  fence: { generation: 1, n: 3 },
  seen: ['e'.repeat(32)],
  retired: false,
  hash: 'f'.repeat(64),
}
const lane = {
  kind: 'intent',
  scope: parseScopePath('/near'),
  tenant: '0'.repeat(32),
  owner: parseScopePath('/'),
} as const
const view: LaneView = {
  lane: `intent/.near/${lane.tenant}/.`,
  voice: 'intent',
  entries: new Map([['b'.repeat(32), [entry]]]),
}
const document = '1'.repeat(32)

const open = async () => {
  const store = createMemoryDisk().store()
  await store.open()
  const heads = new Map([[document, ['c'.repeat(64)]]])
  const documents = {
    summaryOf: (id: string) => {
      const found = heads.get(id)
      return found && ({ documentId: id, epoch: 1, heads: found, fence: entry.fence } satisfies LaneSummary)
    },
    epochOf: (id: string) => (heads.has(id) ? ({ lane } as never) : undefined),
  }
  return { store, heads, views: createToldViews(store, documents) }
}

test('what was kept of a lane comes back while the lane has the same heads', async (t) => {
  const { views, heads } = await open()
  await views.save(new Map([[document, view]]))
  t.deepEqual(await views.load(), new Map([[document, view]]))
  heads.set(document, ['9'.repeat(64)])
  t.is((await views.load()).size, 0)
  heads.delete(document)
  t.is((await views.load()).size, 0)
})

test('what is no view, or of another format, is read from the lane instead', async (t) => {
  const { views, store } = await open()
  for (const text of ['', 'null', '{}', '{"_v":2,"heads":[],"entries":{}}']) {
    await store.write([{ kind: 'put', key: `told/${document}`, value: Buffer.from(text) }], { sync: true })
    t.is((await views.load()).size, 0, text)
  }
})
