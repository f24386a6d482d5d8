import { readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { nodeHash } from '../authority/index.ts'
import {
  choose,
  defaultLanePolicy,
  describeOutcome,
  type Effective,
  effective,
  formatEntry,
  type LanePolicy,
  type LaneView,
  type LaneVoice,
  outcomes,
  parseEntry,
  type ReadEntry,
  runs,
} from './index.ts'

const file = new URL('golden/cases.txt', import.meta.url)
const hex = (word: string, digits: number) => Buffer.from(word).toString('hex').padEnd(digits, '0')
const wordOf = (id: string | null) =>
  id === null ? 'retired' : Buffer.from(id.replace(/(00)+$/, ''), 'hex').toString()

const entryOf = (words: string): ReadEntry => {
  const [decision = '', version = '', step = '', fence = '', , seen = ''] = words.replace(/ follows$/, '').split(' ')
  const [generation = 0, n = 0] = fence.slice(1).split('.').map(Number)
  const text = formatEntry({
    decision: hex(decision, 32),
    version: version === 'retired' ? null : hex(version, 64),
    step: Number(step.slice(1)),
    share: null,
    fence: { generation, n },
    seen: seen === '' ? [] : seen.split(',').map((id) => hex(id, 32)),
    retired: version === 'retired',
    follows: words.endsWith(' follows'),
  })
  const read = parseEntry(text, nodeHash)
  if (!read.ok) throw new Error(read.refusal.message)
  return read.entry
}

interface Case {
  readonly title: string
  readonly given: readonly string[]
  readonly lanes: readonly LaneView[]
  readonly policy: LanePolicy
  readonly last: ReadEntry | undefined
}

const readCase = (block: string): Case => {
  const [title = '', ...lines] = block.split('\n')
  const given = lines.slice(0, lines.indexOf('=>'))
  const lanes = new Map<string, { voice: LaneVoice; entries: ReadEntry[] }>()
  let policy = defaultLanePolicy
  let last: ReadEntry | undefined
  const opaqueIds = new Map<string, string>()
  for (const line of given) {
    const [head = '', ...rest] = line.split(' ')
    if (head === 'policy' && rest[0] === 'settle') policy = { ...policy, settle: rest[1] as LanePolicy['settle'] }
    else if (head === 'policy') policy = { ...policy, laneOrder: rest[1]?.split(',') as LaneVoice[] }
    else if (head === 'last') last = entryOf(rest.join(' '))
    else if (head === 'opaque') opaqueIds.set(hex(rest[0] ?? '', 32), hex(rest[1] ?? '', 32))
    else {
      const lane = lanes.get(head) ?? { voice: head === 'local' ? 'local' : 'intent', entries: [] }
      lane.entries.push(entryOf(rest.join(' ')))
      lanes.set(head, lane)
    }
  }
  const views = [...lanes].map(([lane, { voice, entries }]) => ({
    lane,
    voice,
    entries: new Map([['shop', entries]]),
    ...(voice === 'local' ? { opaqueIds } : {}),
  }))
  return { title, given, lanes: views, policy, last }
}

const short = (entry: ReadEntry) => `${wordOf(entry.decision)} ${wordOf(entry.version)} s${entry.step}`

const describe = (found: Effective | undefined): string => {
  if (found === undefined) return 'nothing'
  if (found.kind === 'entry') return `entry ${short(found.entry)} of ${found.lane}`
  return `conflict ${found.candidates.map(({ entry, lane }) => `${short(entry)} of ${lane}`).join(' | ')}`
}

const resultOf = ({ lanes, policy, last }: Case): readonly string[] => {
  const found = effective(lanes, policy)
  const run = runs(last, found.get('shop'), policy)
  const reports = outcomes(lanes, found, (decision) => hex(`o-${wordOf(decision)}`, 32))
  return [
    describe(found.get('shop')),
    `runs ${run === undefined ? 'nothing' : short(run)}`,
    ...reports.map(
      (report) => `up ${wordOf(report.decision)} ${describeOutcome(report, '/z')} [${report.by.map(wordOf).join(' ')}]`,
    ),
  ]
}

const text = readFileSync(file, 'utf8')
const [preface = '', ...blocks] = text.split(/^## /m)
const cases = blocks.map(readCase)
const written = (one: Case) => `## ${[one.title, ...one.given, '=>', ...resultOf(one)].join('\n')}\n`
if (process.env.GOLDEN === 'write') writeFileSync(file, preface + cases.map(written).join('\n'))
const expected = readFileSync(file, 'utf8').split(/^## /m).slice(1)

test('the table has at least thirty cases, each with its own title', (t) => {
  t.true(new Set(cases.map(({ title }) => title)).size >= 30)
  t.is(new Set(cases.map(({ title }) => title)).size, cases.length)
})

for (const [at, one] of cases.entries())
  test(`lanes: ${one.title}`, (t) => {
    t.is(written(one).trimEnd(), `## ${expected[at]?.trimEnd()}`)
  })

test('choose of the table is what runs in every conflict', (t) => {
  for (const { lanes, policy, last } of cases) {
    const found = effective(lanes, policy).get('shop')
    if (found?.kind === 'conflict') t.is(choose(found, last, policy)?.entry, runs(last, found, policy))
  }
})
