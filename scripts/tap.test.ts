import test from 'ava'
import { contractTable, createTapReader, summaryLine, type TestResult } from './tap.ts'

const read = (text: string): TestResult[] => {
  const results: TestResult[] = []
  const reader = createTapReader((result) => results.push(result))
  for (const line of text.split('\n')) reader.line(line)
  reader.end()
  return results
}

const tap = `TAP version 13
ok 1 - net › contract containers · containerd · starts # SKIP
ok 2 - mesh › contract mesh · memory · opens
#   a line that was logged
not ok 3 - mesh › contract mesh · local · opens
  ---
    name: AssertionError
    details:
      'Difference': 1
  ...
not ok 4 - later # TODO
ok 5 - mesh › contract mesh · local · closes

1..5
# tests 5
# pass 2`

test('each result carries its outcome and what was said of it', (t) => {
  t.deepEqual(
    read(tap).map(({ title, outcome, lines }) => [title, outcome, lines.length]),
    [
      ['net › contract containers · containerd · starts', 'skipped', 0],
      ['mesh › contract mesh · memory · opens', 'passed', 1],
      ['mesh › contract mesh · local · opens', 'failed', 3],
      ['later', 'skipped', 0],
      ['mesh › contract mesh · local · closes', 'passed', 0],
    ],
  )
})

test('the table counts contract tests by suite and adapter, and names what did not pass', (t) => {
  t.deepEqual(contractTable(read(tap)), [
    'suite       adapter     passed',
    'containers  containerd  0 of 1, 1 skipped',
    'mesh        local       1 of 2, 1 failed',
    'mesh        memory      1 of 1',
  ])
})

test('the summary counts every outcome', (t) => {
  t.is(summaryLine(read(tap)), '2 passed, 1 failed, 2 skipped')
})
