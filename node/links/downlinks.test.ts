import test from 'ava'
import { createManualClock, silentLog } from '../../base/index.ts'
import { createMemoryNetwork, type Mesh, type MeshLink } from '../../mesh/index.ts'
import { createDownlinks, type LinkedChild } from './downlinks.ts'
import { nextDocument, readerOf, sendDocument } from './link-messages.ts'

const turns = async () => {
  for (let at = 0; at < 20; at++) await new Promise((resolve) => setImmediate(resolve))
}

/** A parent that admits whoever calls, and one child on a link of which we say when something last came. */
const scene = async () => {
  const clock = createManualClock()
  const network = createMemoryNetwork()
  const [own, child] = [network.createMesh('aa'.repeat(32), 'parent'), network.createMesh('bb'.repeat(32))]
  let silentSinceMs: number | undefined
  const heardAgeMs = () => (silentSinceMs === undefined ? 0 : clock.monotonicMs() - silentSinceMs)
  const mesh: Mesh = { ...own, onLink: (hear) => own.onLink((link) => hear(Object.assign(link, { heardAgeMs }))) }
  const downlinks = createDownlinks({
    mesh,
    clock,
    log: silentLog,
    judge: async () => ({ answer: { ok: true }, child: { name: 'till' } }),
    onDocuments: () => new Promise(() => {}),
    onReports: () => {},
    onQuestion: async () => ({ head: {} }),
    onChange: () => {},
  })
  await Promise.all([own.start(), child.start()])
  const call = async (): Promise<MeshLink> => {
    const link = await child.dial('parent', { timeoutMs: 1_000 })
    const stream = await link.openStream('join')
    await sendDocument(stream, {})
    await nextDocument(readerOf(stream))
    await turns()
    return link
  }
  const till = (): LinkedChild | undefined => downlinks.children()[0]
  return { clock, call, till, goSilent: () => (silentSinceMs = clock.monotonicMs()) }
}

test('a child that fell silent before its link was lost was heard when it last spoke, and not when the link was lost', async (t) => {
  const { clock, call, till, goSilent } = await scene()
  const link = await call()
  t.like(till(), { peer: 'till', up: true, heardAgeMs: 0 })
  clock.advance(1_000)
  goSilent()
  clock.advance(60_000)
  t.like(till(), { up: true, forMs: 61_000, heardAgeMs: 60_000 })
  await link.close()
  await turns()
  t.like(till(), { up: false, forMs: 0, heardAgeMs: 60_000 })
  clock.advance(5_000)
  t.like(till(), { up: false, forMs: 5_000, heardAgeMs: 65_000 })
})

test('of two links of one child the newer stays, and the end of the older loses nobody', async (t) => {
  const { clock, call, till } = await scene()
  const first = await call()
  clock.advance(3_000)
  await call()
  await first.closed
  await turns()
  t.like(till(), { up: true, forMs: 0, heardAgeMs: 0 })
})
