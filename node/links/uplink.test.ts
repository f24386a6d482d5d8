import test from 'ava'
import { createManualClock, createSeededRandom, silentLog } from '../../base/index.ts'
import { createMemoryNetwork, type MeshStream } from '../../mesh/index.ts'
import { nextDocument, readerOf, sendDocument } from './link-messages.ts'
import { reportEveryMs, reportWaitsMs } from './report-rest.ts'
import { createUplink } from './uplink.ts'

/** A child that is linked and has reported once, and what its parent hears of it. */
const linked = async (isChanging: () => boolean) => {
  const clock = createManualClock()
  const network = createMemoryNetwork()
  const [parent, child] = [network.createMesh('aa'.repeat(32), 'parent'), network.createMesh('bb'.repeat(32))]
  const heard: unknown[] = []
  const listen = async (stream: MeshStream) => {
    const reader = readerOf(stream)
    if (stream.purpose === 'join') await nextDocument(reader).then(() => sendDocument(stream, { ok: true }))
    if (stream.purpose !== 'reports') return
    for (let said = await nextDocument(reader); said !== undefined; said = await nextDocument(reader)) heard.push(said)
  }
  parent.onLink((link) => parent.onStream(link, (stream) => void listen(stream).catch(() => {})))
  await Promise.all([parent.start(), child.start()])
  let count = 0
  const uplink = createUplink({
    mesh: child,
    parents: ['parent'],
    clock,
    random: createSeededRandom(1),
    log: silentLog,
    hello: async () => ({}),
    accept: async () => ({ ok: true, parent: 'parent' }),
    onDocuments: () => new Promise(() => {}),
    report: async () => ++count,
    isChanging,
    onRequest: async () => ({ head: {} }),
    onChange: () => {},
  })
  const turns = async () => {
    for (let at = 0; at < 20; at++) await new Promise((resolve) => setImmediate(resolve))
  }
  uplink.start()
  while (heard.length === 0) await turns()
  const pass = async (ms: number) => {
    clock.advance(ms)
    await turns()
  }
  return { uplink, heard, pass, turns }
}

test('a change is told once it was gathered, and without one a report leaves all the same', async (t) => {
  const { uplink, heard, pass, turns } = await linked(() => false)
  uplink.reportChanged()
  await turns()
  await pass(99)
  t.is(heard.length, 1)
  await pass(1)
  t.is(heard.length, 2)
  await pass(reportEveryMs)
  await pass(100)
  t.is(heard.length, 3)
})

test('while more is about to change a report waits for it, but not for ever', async (t) => {
  let isChanging = true
  const { uplink, heard, pass, turns } = await linked(() => isChanging)
  uplink.reportChanged()
  await turns()
  await pass(100)
  await pass(reportWaitsMs - 101)
  t.is(heard.length, 1)
  await pass(1)
  t.is(heard.length, 2, 'it does not wait for longer than it says')
  uplink.reportChanged()
  await turns()
  await pass(100)
  uplink.reportChanged()
  await turns()
  t.is(heard.length, 2)
  isChanging = false
  uplink.reportChanged()
  await turns()
  t.is(heard.length, 3, 'it leaves as soon as all is done')
})
