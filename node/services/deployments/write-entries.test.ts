import test from 'ava'
import { entryLimits } from '../../../crdt/index.ts'
import type { ChildWrite } from './plan-children.ts'
import { idOf, readText, recordOf, sampleEntry } from './sample-entries.ts'
import { writeEntries } from './write-entries.ts'

const write = (name: string, fields: Partial<ChildWrite> = {}): ChildWrite => ({
  child: '/de/fulda',
  application: idOf(name),
  version: recordOf('v1'),
  decision: idOf('d1'),
  step: 0,
  seen: [],
  ...fields,
})
const empty = { standing: new Map(), fence: { generation: 2, n: 0 } }
const entries = (edits: ReturnType<typeof writeEntries>) => [...edits.values()].map((text) => readText(String(text)))

test('each entry of a change has a fence above the one before it', (t) => {
  const edits = writeEntries({ ...empty, fence: { generation: 2, n: 7 } }, [write('shop'), write('till')], 2)
  t.deepEqual([...edits.keys()], [idOf('shop'), idOf('till')])
  t.deepEqual(
    entries(edits).map(({ fence }) => fence),
    [8, 9].map((n) => ({ generation: 2, n })),
  )
})

test('a new generation counts from one, and an older one writes nothing', (t) => {
  const held = { ...empty, fence: { generation: 2, n: 7 } }
  t.deepEqual(entries(writeEntries(held, [write('shop')], 3))[0]?.fence, { generation: 3, n: 1 })
  t.is(writeEntries(held, [write('shop')], 1).size, 0)
})

test('retired is written for no version alone', (t) => {
  const [gone, runs] = entries(writeEntries(empty, [write('shop', { version: null }), write('till')], 2))
  t.like(gone, { retired: true, version: null })
  t.like(runs, { retired: false, version: recordOf('v1') })
})

test('what came to stand in the lane since the plan is replaced by name', (t) => {
  const standing = new Map([[idOf('shop'), [{ entry: sampleEntry({ decision: idOf('late') }) }]]])
  const [entry] = entries(writeEntries({ ...empty, standing }, [write('shop', { seen: [idOf('d0')] })], 2))
  t.deepEqual(entry?.seen, [idOf('d0'), idOf('late')].toSorted())
})

test('one change stays within its bounds, and the rest comes later', (t) => {
  const many = Array.from({ length: 1_200 }, (_, at) => write(`app-${at}`))
  const edits = writeEntries(empty, many, 2)
  t.true(edits.size > 0 && edits.size <= 500)
  const seen = Array.from({ length: entryLimits.seen }, (_, at) => idOf(`s${at}`)).toSorted()
  const wide = writeEntries(
    empty,
    many.map((one) => ({ ...one, seen })),
    2,
  )
  const sizeBytes = [...wide.values()].reduce<number>((sum, text) => sum + String(text).length, 0)
  t.true(wide.size > 0 && sizeBytes <= 128 * 1024)
})
