import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { silentLog } from '../../base/index.ts'
import { intentLane, laneScene } from '../lane/scene/index.ts'
import { createLevelStore } from '../store/level/index.ts'
import { allBytes, nextEntry, openDocuments, writeOne } from './documents-scene.contract.ts'

const scene = laneScene()
const [signer] = scene.signers

test('what LevelDB drops from its log without a word is missed, and comes back from a peer', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-documents-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const disk = { store: () => createLevelStore(folder, { log: silentLog }) }
  const first = await openDocuments(disk, scene)
  const id = await first.documents.create(intentLane, scene.owner, signer!)
  for (let n = 1; n <= 60; n++) await writeOne(first, nextEntry(id, `d${n}`), signer!)
  const whole = first.documents.summaryOf(id)
  const bytes = await allBytes(first.documents, id)
  await first.close()
  const logs = (await readdir(folder)).filter((name) => name.endsWith('.log'))
  const sizes = await Promise.all(logs.map(async (name) => (await stat(join(folder, name))).size))
  const path = join(folder, logs[sizes.indexOf(Math.max(...sizes))] ?? '')
  const log = await readFile(path)
  t.true(log.length > 48 * 1024, 'the log has more than one block')
  // Inside the first block of 32 KiB: the rest of it is skipped, what comes after is read.
  log[20_000]! ^= 1
  await writeFile(path, log)

  const node = await openDocuments(disk, scene, { seed: 2 })
  t.teardown(() => node.close())
  t.deepEqual(node.opened, { lanes: 1, damaged: [id] })
  t.true((await node.documents.hashes(id)).length < 60)
  const [refused] = await node.documents.write([nextEntry(id, 'new')], signer!)
  t.is(refused?.ok ? '' : refused?.refusal.code, 'behind')
  await node.documents.take(id, bytes, 'peer')
  t.deepEqual(node.documents.summaryOf(id), whole)
  t.is((await writeOne(node, nextEntry(id, 'new'), signer!)).length, 1)
})
