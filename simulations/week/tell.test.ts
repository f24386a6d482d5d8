import test from 'ava'
import { toReport, verdictWords } from './report.ts'
import { reportText } from './report-text.ts'
import { sampleRecord, siteOf, stepOf } from './sample-record.contract.ts'
import { momentWords, tell } from './tell.ts'

const minute = 60_000
const lines = (given = {}) =>
  tell(sampleRecord(given)).flatMap(({ text, seen }) => [text, ...seen.map((one) => `  ${one}`)])

test('a site that missed a version is told of from both sides, with how long it was stale and how it caught up', (t) => {
  t.deepEqual(lines(), [
    'n2 is cut off for 8m',
    'Version 2 goes out to every site',
    '  1 of 2 sites ran it within a second.',
    '  n2 could not be reached: it stayed on what it had and ran it after 5m30s.',
    'n2 is reached again',
    '  n2 went on running all the time.',
    '  The tower had heard nothing of it for 8m.',
    '  n2 still ran version 1; version 2 was wanted.',
    '  n2 took version 2 after 24s and ran it after 30s.',
    'Nothing more is done, and all is healed',
    '  Every site was as wanted already.',
    '  Then nothing was started or stopped for 5m, as it must be.',
  ])
})

const power = stepOf({
  kind: 'power',
  atMs: 12 * minute,
  endMs: 14 * minute,
  target: 'n1',
  targetKind: 'site',
  sites: ['n1'],
  machines: ['n1-a'],
})
const stopped = [
  siteOf('n1', [
    [0, '1'],
    [12, ''],
    [14, '1'],
  ]),
]
const still = { sites: stopped, wanted: [{ atMs: 0, version: '1' }] }

test('a site without power ran nothing, which is explained; one with power is not', (t) => {
  t.true(lines({ ...still, steps: [power] }).includes('  n1 ran nothing for 2m.'))
  t.is(toReport(sampleRecord({ ...still, steps: [power] }), 'x').numbers.unexplainedMs, 0)
  t.is(toReport(sampleRecord({ ...still, steps: [] }), 'x').numbers.unexplainedMs, 2 * minute)
})

test('while something else is in the way, nobody is said to be slow', (t) => {
  const cut = stepOf({ ...power, kind: 'cut', atMs: 11 * minute, endMs: 16 * minute })
  const told = lines({ ...still, steps: [cut, power] })
  t.true(told.includes('  Something else still stands in the way of n1.'))
  t.is(toReport(sampleRecord({ ...still, steps: [cut, power] }), 'x').numbers.slowestCatchUpMs, undefined)
})

test('what the tower refused is said with its words', (t) => {
  const steps = [stepOf({ kind: 'rollback', atMs: minute, refused: 'there is no version before' })]
  t.true(lines({ steps }).some((line) => line.endsWith('nobody confirms it: there is no version before')))
})

test('a broken invariant is the verdict, and is named in the text', (t) => {
  const checks = [{ invariant: 4, sentence: 'nothing healthy is touched', judged: 7, violations: ['n1-a removed it'] }]
  const report = toReport(sampleRecord({ checks }), 'x')
  t.is(report.verdict, 'broken')
  t.is(verdictWords(report), '1 thing is broken.')
  t.regex(reportText(report), /BROKEN 4 {2}nothing healthy is touched \(judged 7 times\)\n {12}n1-a removed it/)
})

test('the command that repeats a run stands as a shell takes it', (t) => {
  const { repeat } = toReport(sampleRecord({ topologyFile: "./Joe's tree.yaml", scenarioFile: 'x.yaml' }), 'x')
  t.is(repeat, "skerry simulate './Joe'\\''s tree.yaml' --scenario x.yaml --seed 1")
})

test('a moment is told by its day where there are days', (t) => {
  t.is(momentWords({ days: [] }, 3_725_000), '1:02:05')
  const days = [
    { fromMs: 0, title: '' },
    { fromMs: 20 * minute, title: '' },
  ]
  t.is(momentWords({ days }, 21 * minute), 'day 2, 01:00')
})
