import test from 'ava'
import { nodeHash, toHex } from '../authority/index.ts'
import { fixture } from '../fixtures/fixture.contract.ts'
import { hexOf, laneScene, networkId } from '../lane/scene/index.ts'
import { envelopeKey, genesisKey, readDocumentKey, summaryKey } from './document-keys.ts'
import { createEpochMaker, type SavedLane } from './held-lane.ts'
import { decodeSummary, encodeSummary } from './saved-summary.ts'
import { addToTally, emptyTally, sameTally, tallyOf } from './tally.ts'

const { epoch } = laneScene()
const lane: SavedLane = {
  epoch,
  heads: [hexOf('a head', 32), hexOf('b head', 32)],
  fence: { generation: 1, n: 7 },
  tally: tallyOf([hexOf('a head', 32), hexOf('b head', 32), 'ff'.repeat(32)]),
  loss: { heads: [hexOf('lost', 32)], fence: { generation: 1, n: 9 } },
}
const whole: SavedLane = { ...lane, heads: [], fence: { generation: 1, n: 0 }, tally: emptyTally, loss: undefined }
const fixtures = { 'saved-summary.1': lane, 'saved-summary-whole.1': whole }

for (const [name, given] of Object.entries(fixtures))
  test(`${name} is read, makes its epoch again and is written to the same bytes`, (t) => {
    const bytes = fixture(name, () => encodeSummary(given))
    const saved = decodeSummary(epoch.documentId, bytes)
    if (saved === undefined) return t.fail('not read')
    const { heads, fence, tally, loss } = saved
    const { epoch: _, ...rest } = given
    t.deepEqual({ heads, fence, tally, loss }, rest)
    t.deepEqual(createEpochMaker(() => networkId, nodeHash)(saved), epoch)
    t.is(toHex(encodeSummary({ ...given, epoch })), toHex(bytes))
  })

test('a summary that lacks or bends a field is none', (t) => {
  const text = new TextDecoder().decode(encodeSummary(lane))
  const raw = JSON.parse(text) as Record<string, unknown>
  const read = (value: unknown) => decodeSummary(epoch.documentId, new TextEncoder().encode(JSON.stringify(value)))
  t.truthy(read(raw))
  for (const key of Object.keys(raw)) {
    t.is(read({ ...raw, [key]: undefined }), undefined, `without ${key}`)
    for (const bent of [true, -1, 1.5, 'x', [1], { x: 1 }, ['x']])
      if (key !== 'lane' || typeof bent !== 'string') t.is(read({ ...raw, [key]: bent }), undefined, `${key} ${bent}`)
  }
  t.is(read({ ...raw, writers: [] }), undefined)
  t.is(read({ ...raw, _v: 2 }), undefined)
})

test('keys of one document are neighbours, and read as they were written', (t) => {
  const documentId = hexOf('document', 16)
  const hash = hexOf('hash', 32)
  const keys = [envelopeKey(documentId, 1, hash), genesisKey(documentId, 1), summaryKey(documentId)]
  t.deepEqual(keys, [
    `d/646f63756d656e740000000000000000/e/00000001/6861736800000000000000000000000000000000000000000000000000000000`,
    'd/646f63756d656e740000000000000000/g/00000001',
    'd/646f63756d656e740000000000000000/s',
  ])
  t.deepEqual(keys, keys.toSorted())
  t.deepEqual(keys.map(readDocumentKey), [
    { kind: 'envelope', documentId, epoch: 1, hash },
    { kind: 'genesis', documentId, epoch: 1 },
    { kind: 'summary', documentId },
  ])
  for (const key of ['d/x/s', `d/${documentId}/t`, `d/${documentId}/e/1/${hash}`, `e/${documentId}/s`])
    t.is(readDocumentKey(key), undefined)
})

test('a tally does not hang on the order, and misses what is gone, twice there or another', (t) => {
  const hashes = Array.from({ length: 40 }, (_, at) => toHex(nodeHash.sha256(Uint8Array.of(at))))
  const whole = tallyOf(hashes)
  t.true(sameTally(whole, tallyOf(hashes.toReversed())))
  for (const at of hashes.keys()) t.false(sameTally(whole, tallyOf(hashes.toSpliced(at, 1))))
  t.false(sameTally(whole, addToTally(whole, hashes[0]!)))
  t.false(sameTally(whole, tallyOf([...hashes.slice(1), toHex(nodeHash.sha256(Uint8Array.of(99)))])))
  t.is(emptyTally.count, 0)
})
