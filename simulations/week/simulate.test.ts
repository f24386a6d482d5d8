import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { runCli, simulateCommand } from '../../node/cli/index.ts'
import { systemClock } from '../../node/powers/index.ts'
import type { Report } from './report.ts'

const root = join(import.meta.dirname, '..', '..')
const examplesDir = join(root, 'topologies', 'examples')

const collector = () => {
  let text = ''
  return {
    isTty: false,
    write: (chunk: string | Uint8Array) => {
      text += Buffer.from(chunk).toString()
    },
    text: () => text,
  }
}

const openFolder = (t: ExecutionContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-simulate-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const run = async (...argv: readonly string[]) => {
    const [stdout, stderr] = [collector(), collector()]
    const exitCode = await runCli(['simulate', ...argv], {
      stdout,
      stderr,
      stdin: (async function* () {})(),
      env: {},
      cwd: folder,
      clock: systemClock,
      signal: new AbortController().signal,
      version: '0.0.0',
      commands: [
        simulateCommand({
          load: () => import('./index.ts'),
          examplesDir,
          exampleNames: () => ['two-zones'],
          version: '0.0.0',
        }),
      ],
    })
    return { exitCode, out: stdout.text(), err: stderr.text() }
  }
  return { folder, file, run }
}

const rolloutApart = `version: 1
scenario: north-misses-a-rollout
lasts: 8m
steps:
  - { at: 30s, cut: /north, for: 4m }
  - { at: 2m, upgrade: "2" }
  - { at: 6m, power: s1, for: 1m }
  - { at: 7m10s, label: n2, for: 30s }
`

test('a zone that is cut off during a rollout runs on, catches up, and the report says so, the same each time', async (t) => {
  const { folder, file, run } = openFolder(t)
  const scenario = file('apart.yaml', rolloutApart)
  const page = join(folder, 'report.html')
  const first = await run('two-zones', '--scenario', scenario, '--seed', '3', '--report', page)
  t.is(first.exitCode, 0, first.err)
  t.regex(first.out, /\/north \(2 sites, 4 nodes\) is cut off for 4m/)
  t.regex(first.out, /2 of 4 sites ran it within a second/)
  t.regex(first.out, /n1 and n2 still ran version 1; version 2 was wanted/)
  t.regex(first.out, /Both sites \(n1 and n2\) took version 2 .* and ran it/)
  t.regex(first.out, /s1 ran nothing for 1m/)
  t.regex(
    first.out,
    /n2 gets the label .*\n.*label of n2 is taken away\n.*went on running all the time\.\n.*It ran there within a second, and was gone/,
  )
  t.regex(first.out, /Nothing was broken/)
  t.regex(first.out, /Repeat with: skerry simulate two-zones --scenario \S+apart\.yaml --seed 3\n/)
  t.regex(first.err, /00:30 {2}\/north is cut off\n/)
  t.regex(first.err, /06:00 {2}s1 has no power\n/)

  const pageBytes = readFileSync(page, 'utf8')
  const second = await run('two-zones', '--scenario', scenario, '--seed', '3', '--report', page, '--json')
  t.is(second.err, '')
  t.is(readFileSync(page, 'utf8'), pageBytes)
  t.deepEqual(readdirSync(folder).toSorted(), ['apart.yaml', 'report.html'])
  const report = JSON.parse(second.out) as Report
  t.is(report.version, 1)
  t.is(report.verdict, 'kept')
  t.is(report.numbers.unexplainedMs, 0)
  t.deepEqual(
    report.record.checks.filter(({ judged }) => judged === 0),
    [],
  )
  t.deepEqual(
    report.record.wanted.map(({ version }) => version),
    ['1', '2'],
  )
  const n1 = report.record.sites.find(({ name }) => name === 'n1')
  t.deepEqual(
    n1?.ran.map(({ version, running }) => [version, running]),
    [
      ['1', 2],
      ['2', 2],
    ],
  )
  t.is(n1?.unheard.length, 1)
  t.deepEqual(
    report.record.sites.filter(({ guest }) => guest.length > 0).map(({ name }) => name),
    ['n2'],
  )
  const south = report.record.links.find(({ child }) => child === 'south-aggregator')
  t.true(south?.withheld.includes('names'))
  t.true((south?.upBytes ?? 0) > 1_000)
})

test('what cannot be run ends with 2, says where it is wrong, and leaves nothing behind', async (t) => {
  const { folder, file, run } = openFolder(t)
  const broken = file('broken.yaml', 'version: 1\nnetwork: x\ntowres: {}\n')
  const scenario = file('wrong.yaml', rolloutApart.replace('/north', '/nroth'))
  const refused: readonly (readonly [argv: readonly string[], words: RegExp])[] = [
    [['two-zoens'], /^error: there is no example two-zoens; did you mean two-zones\?/],
    [[join(folder, 'none.yaml')], /^error: cannot read the topology .*none\.yaml/],
    [[broken], /^error: \S*broken\.yaml:3: towres: unknown field; did you mean "towers"\?/m],
    [
      ['two-zones', '--scenario', scenario],
      /^error: \S*wrong\.yaml:5: steps\[0\]\.cut: there is no zone.*did you mean \/north\?/,
    ],
    [['two-zones', '--scenario', join(folder, 'none.yaml')], /^error: cannot read the scenario .*none\.yaml/],
    [['two-zones', '--seed', 'one'], /^error: --seed one: give a whole number/],
    [['two-zones', '--report', 'page.txt'], /^error: --report page\.txt: give a file that ends in \.html/],
    [['two-zones', '--report', join(folder, 'no', 'page.html')], /^error: cannot write the report/],
    [[], /missing required argument 'topology'/],
  ]
  for (const [argv, words] of refused) {
    const { exitCode, out, err } = await run(...argv)
    t.is(exitCode, 2, argv.join(' '))
    t.is(out, '')
    t.regex(err, words)
  }
  const { exitCode, err } = await run('two-zones', '--scenario', scenario, '--json')
  t.is(exitCode, 2)
  t.like(JSON.parse(err), { errors: [{ 'error-info': { line: 5, field: 'steps[0].cut' } }] })
  t.deepEqual(readdirSync(folder).toSorted(), ['broken.yaml', 'wrong.yaml'])
})

const importsOf = (path: string): readonly string[] =>
  [...readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)'/g)].map(([, specifier = '']) =>
    join(dirname(path), specifier),
  )

/** Every file that is loaded with one. */
const reachedFrom = (path: string, seen = new Set<string>()): ReadonlySet<string> => {
  if (seen.has(path)) return seen
  seen.add(path)
  for (const other of importsOf(path)) reachedFrom(other, seen)
  return seen
}

test('what ships reaches worlds and nothing else of the simulations, and swaps no power in them', (t) => {
  const reached = [...reachedFrom(join(import.meta.dirname, 'index.ts'))].map((path) => path.slice(root.length + 1))
  const folders = new Set(reached.filter((path) => path.startsWith('simulations/')).map((path) => dirname(path)))
  t.deepEqual([...folders].toSorted(), ['simulations/week', 'simulations/week/page', 'simulations/world'])
  const own = reached.filter((path) => path.startsWith('simulations/week/'))
  t.deepEqual(
    own.filter((path) =>
      /\b(doctor|guards)\b/.test(readFileSync(join(root, path), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '')),
    ),
    [],
  )
  t.true(own.length > 10)
})
