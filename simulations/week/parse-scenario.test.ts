import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { InvalidInputError } from '../../base/index.ts'
import { parseTopology } from '../../topologies/index.ts'
import { parseScenario } from './parse-scenario.ts'

const topology = parseTopology(
  `version: 1
network: small
towers: { site: head, hosts: [{ name: tower }] }
zones:
  - name: north
    aggregators: { hosts: [{ name: north-gate }] }
    sites:
      - { name: n1, hosts: [{ name: n1-a }, { name: n1-b }] }
      - { name: n2, hosts: [{ name: n2-a }] }
`,
  'small.yaml',
)

const scenario = (...steps: readonly string[]) =>
  ['version: 1', 'scenario: try', 'lasts: 30m', 'steps:', ...steps.map((step) => `  - { ${step} }`), ''].join('\n')

const read = (...steps: readonly string[]) => parseScenario(scenario(...steps), 'try.yaml', topology)

const problemsOf = (t: ExecutionContext, text: string): readonly string[] =>
  t.throws(() => parseScenario(text, 'try.yaml', topology), { instanceOf: InvalidInputError }).message.split('\n')

test('a scenario says what happens to zones, sites and hosts, and when', (t) => {
  const plan = read(
    'at: 1m, cut: /north, for: 10m',
    'at: 2m, upgrade: "2"',
    'at: 3m, power: n1',
    'at: 4m, clock: n2-a, reads: 1970-01-01, for: 1m',
    'at: 5m, rollback: previous',
    'at: 6m, rollback: "1"',
    'at: 7m, heal: n1',
    'at: 8m, heal: all',
  )
  t.is(plan.lastsMs, 1_800_000)
  t.deepEqual(
    plan.steps.map((step) => [step.atMs / 60_000, step.kind]),
    [
      [1, 'cut'],
      [2, 'upgrade'],
      [3, 'power'],
      [4, 'clock'],
      [5, 'rollback'],
      [6, 'rollback'],
      [7, 'heal'],
      [8, 'heal'],
    ],
  )
  const [cut, , power, clock] = plan.steps
  t.like(cut, { untilMs: 660_000, target: { machines: ['north-gate', 'n1-a', 'n1-b', 'n2-a'], sites: ['n1', 'n2'] } })
  t.like(power, { untilMs: undefined, target: { kind: 'site', machines: ['n1-a', 'n1-b'] } })
  t.like(clock, { readsMs: 0, target: { kind: 'host', sites: ['n2'] } })
})

test('the only host of a zone is the way of every site in it', (t) => {
  const [cut] = read('at: 1m, cut: north-gate').steps
  t.like(cut, { target: { kind: 'host', machines: ['north-gate'], sites: ['n1', 'n2'] } })
})

test('every refusal names file, line and field, and what to write instead', (t) => {
  const refused: readonly (readonly [step: string, words: string])[] = [
    [
      'at: 1m, cut: /nroth',
      'try.yaml:5: steps[0].cut: there is no zone, site or host "/nroth" in small; did you mean /north?',
    ],
    [
      'at: 1m, cut: north',
      'try.yaml:5: steps[0].cut: there is no zone, site or host "north" in small; a zone is written with its path: /north',
    ],
    [
      'at: 1m, power: n1-c',
      'try.yaml:5: steps[0].power: there is no zone, site or host "n1-c" in small; did you mean n1-a?',
    ],
    ['at: 1m, cut: /', 'try.yaml:5: steps[0].cut: nothing is outside of /; name a zone, a site or a host'],
    ['at: soon, cut: n1', 'try.yaml:5: steps[0].at: "soon" is not a time span; write it like 90s, 10m or 1h30m'],
    [
      'at: 31m, cut: n1',
      'try.yaml:5: steps[0].at: is after the end; make the scenario last longer, or the step earlier',
    ],
    ['at: 1m, cut: n1, for: 0s', 'try.yaml:5: steps[0].for: lasts no time at all; write it like 10m, or leave it out'],
    [
      'at: 1m, cut: n1, power: n1',
      'try.yaml:5: steps[0].power: a step does one thing, this one does cut already; make it a step of its own',
    ],
    [
      'at: 1m',
      'try.yaml:5: steps[0]: says nothing to do; write one of cut, power, clock, label, heal, upgrade, rollback',
    ],
    ['at: 1m, upgrade: "2", for: 1m', 'try.yaml:5: steps[0].for: upgrade does not last; leave it out'],
    ['at: 1m, upgrade: 2', 'try.yaml:5: steps[0].upgrade: must be text, not a number; put it in quotes: "2"'],
    [
      'at: 1m, upgrade: "1"',
      'try.yaml:5: steps[0].upgrade: version 1 was out before; name a new one, or write rollback: "1"',
    ],
    ['at: 1m, rollback: "3"', 'try.yaml:5: steps[0].rollback: version "3" was not out before; did you mean 1?'],
    ['at: 1m, clock: n1', 'try.yaml:5: steps[0]: does not say what the clock reads; write reads: 1970-01-01'],
    [
      'at: 1m, clock: n1, reads: never',
      'try.yaml:5: steps[0].reads: "never" is no date; write it like 1970-01-01 or 2036-03-01T08:00Z',
    ],
    [
      'at: 1m, label: /north',
      'try.yaml:5: steps[0].label: a label is given to a site; name a site in zones that let names out',
    ],
    [
      'at: 1m, heal: n1',
      'try.yaml:5: steps[0].heal: nothing was done to n1 by then; heal what was cut, without power, with a wrong clock or a label, under the same name',
    ],
    ['at: 1m, upgrad: n1', 'try.yaml:5: steps[0].upgrad: unknown field; did you mean "upgrade"?'],
  ]
  for (const [step, words] of refused) t.deepEqual(problemsOf(t, scenario(step)), [words], step)
})

test('all problems of a file are named at once, in its order', (t) => {
  const problems = problemsOf(t, scenario('at: 5m, cut: n3', 'at: 1m, upgrade: "2"', 'at: 0s, upgrade: "3"'))
  t.deepEqual(problems, [
    'try.yaml:5: steps[0].cut: there is no zone, site or host "n3" in small; did you mean n1?',
    'try.yaml:7: steps[2].at: is before the step above it; write the steps in the order of their time',
  ])
})

test('a file of a later version, of another shape or without steps is refused as a whole', (t) => {
  t.regex(
    problemsOf(t, 'version: 2\nscenario: x\n')[0] ?? '',
    /^try\.yaml:1: version: the scenario is written in version 2/,
  )
  t.regex(problemsOf(t, '- a\n')[0] ?? '', /^try\.yaml:1: a scenario is a map; start it with version: 1$/)
  t.deepEqual(problemsOf(t, 'version: 1\nscenario: x\nlasts: 8d\nsteps: [{ at: 1m, cut: n1 }]\n'), [
    'try.yaml:3: lasts: is between a second and seven days; write it like 30m',
  ])
  t.deepEqual(problemsOf(t, 'version: 1\nscenario: x\nlasts: 1m\nsteps: []\n'), [
    'try.yaml:4: steps: has no step; write at least one, like - at: 1m',
  ])
})

test('every scenario that comes with the documentation is one', (t) => {
  const root = join(import.meta.dirname, '..', '..')
  const federal = parseTopology(readFileSync(join(root, 'topologies/examples/federal.yaml'), 'utf8'), 'federal.yaml')
  const files = readdirSync(join(root, 'docs/scenarios'))
  t.true(files.length > 0)
  for (const file of files) {
    const plan = parseScenario(readFileSync(join(root, 'docs/scenarios', file), 'utf8'), file, federal)
    t.is(`${plan.name}.yaml`, file)
  }
})
