import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { canonicalJson, describeProblem, InvalidInputError } from '../base/index.ts'
import { nodesOf, parseTopology, siteNamed, sites, topologyLimits, zones } from './index.ts'

const head = 'version: 1\nnetwork: shops\ntowers:\n  site: top\n  hosts:\n    - name: tower\n'

const refusalOf = (text: string): InvalidInputError => {
  try {
    parseTopology(text, 'topology.yaml')
  } catch (error) {
    if (error instanceof InvalidInputError) return error
    throw error
  }
  throw new Error('the topology was accepted')
}

const golden = new URL('golden/', import.meta.url)
const malformed = readdirSync(golden).filter((name) => name.endsWith('.yaml'))

for (const name of malformed)
  test(`golden/${name} is refused with its golden message`, (t) => {
    const { problems } = refusalOf(readFileSync(new URL(name, golden), 'utf8'))
    const text = `${problems.map((problem) => describeProblem({ ...problem, source: name })).join('\n')}\n`
    const expected = new URL(name.replace(/yaml$/, 'txt'), golden)
    if (process.env.GOLDEN === 'write') writeFileSync(expected, text)
    t.is(text, existsSync(expected) ? readFileSync(expected, 'utf8') : '')
  })

test('every golden message names a line and goes down the file', (t) => {
  t.true(malformed.length >= 12)
  for (const name of malformed) {
    const lines = refusalOf(readFileSync(new URL(name, golden), 'utf8')).problems.map(
      (problem) => problem.line ?? Number.NaN,
    )
    t.true(
      lines.every((line) => line >= 1),
      name,
    )
    t.deepEqual(
      lines,
      lines.toSorted((a, b) => a - b),
      name,
    )
  }
})

test('a file over the limit is refused before it is parsed', (t) => {
  const { message } = refusalOf(`${head}# ${'é'.repeat(topologyLimits.fileBytes / 2)}`)
  t.is(message, 'topology.yaml:1: the file is over 1 MiB; use patterns like {0001..0500}')
})

test('nesting that would exhaust the stack is refused', (t) => {
  t.regex(refusalOf(`version: 1\nnetwork: ${'['.repeat(5_000)}`).message, /nested too deep/)
  t.regex(refusalOf(`version: 1\nnetwork: ${'['.repeat(100)}${']'.repeat(100)}`).message, /nested deeper than 64/)
})

test('many keys are read in linear time, and a key that is there twice is still found', (t) => {
  const keys = Array.from({ length: 20_000 }, (_, at) => `k${at}: 1`).join('\n')
  t.regex(refusalOf(`${keys}\nk7: 2\n`).message, /^topology\.yaml:20001: k7: stands here twice, first at line 8/)
})

test('of very many problems the first hundred are told and the rest are counted', (t) => {
  const { problems } = refusalOf(`${head}${Array.from({ length: 150 }, (_, at) => `k${at}: 1`).join('\n')}\n`)
  t.is(problems.length, 101)
  t.is(problems.at(-1)?.message, 'there are 50 more problems from here on')
})

test('keys that are no text or touch prototypes are refused', (t) => {
  t.regex(refusalOf(`${head}__proto__: { a: 1 }\n`).message, /:7: __proto__: cannot be a name here/)
  t.regex(refusalOf(`${head}7: x\n? [a]\n: b\n`).message, /:7: a key must be text.*\n.*:8: a key must be text/)
})

test('patterns write out names, labels, host names and addresses', (t) => {
  const topology = parseTopology(
    `${head}zones:
  - name: r{1..2}
    aggregators: { addresses: ["{zone}.example:1"], hosts: [{ name: "{zone}-agg" }] }
    sites:
      - name: "{zone}-s{08..10}"
        labels: { n: "{n}", zone: "{zone}", canary: true }
        hosts: [{ name: "{site}-{1..2}", host-id: "ID-{site}-{n}", labels: { n: "{n}" } }]
`,
    'topology.yaml',
  )
  t.deepEqual(
    sites(topology).map((site) => site.name as string),
    ['top', 'r1-s08', 'r1-s09', 'r1-s10', 'r2-s08', 'r2-s09', 'r2-s10'],
  )
  t.deepEqual(siteNamed(topology, 'r2-s09') as unknown, {
    name: 'r2-s09',
    path: '/r2/r2-s09',
    type: 'edge',
    labels: { n: '09', zone: 'r2', canary: 'true' },
    hosts: [
      { name: 'r2-s09-1', hostId: 'ID-r2-s09-1', labels: { n: '1' } },
      { name: 'r2-s09-2', hostId: 'ID-r2-s09-2', labels: { n: '2' } },
    ],
  })
  t.deepEqual(
    zones(topology).map(({ addresses }) => addresses),
    [[], ['r1.example:1'], ['r2.example:1']],
  )
})

test('a name a pattern makes must be a name, and the same name twice is told as such', (t) => {
  const long = 'x'.repeat(60)
  t.regex(
    refusalOf(`${head}sites:\n  - name: ${long}{1..1000}\n    hosts: [{ name: "h{n}" }]\n`).message,
    /:8: sites\[0\]\.name: "x{60}1000", made from it, is not a name/,
  )
  t.is(
    refusalOf(`${head}sites:\n  - name: s{1..9}\n    hosts: [{ name: till }]\n`).message,
    'topology.yaml:9: sites[0].hosts[0].name: makes the host name "till" more than once; put {site}, {zone} or a range into the name',
  )
})

test('the limits hold exactly', (t) => {
  const withSites = (count: number) => `${head}sites:\n  - name: s{1..${count}}\n    hosts: [{ name: "{site}-a" }]\n`
  const { sites: limit } = topologyLimits
  t.is(sites(parseTopology(withSites(limit), 'topology.yaml')).length, limit + 1)
  t.regex(refusalOf(withSites(limit + 1)).message, /makes 20,001 sites; a topology holds at most 20,000/)
})

const shortName = fc.stringMatching(/^[a-z][a-z0-9]{0,3}$/)

test('what is accepted is written out the same every time, names differ, and parents come first', (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(shortName, fc.nat(12), fc.nat(8), fc.boolean()), {
        selector: ([name]) => name,
        maxLength: 6,
      }),
      (drafts) => {
        const text =
          head +
          (drafts.length === 0 ? '' : 'zones:\n') +
          drafts
            .map(
              ([name, from, more, privacy]) => `  - name: ${name}
    privacy: ${privacy}
    aggregators: { hosts: [{ name: "{zone}-aggregator" }] }
    sites: [{ name: "{zone}-{${from}..${from + more}}", hosts: [{ name: "{site}-{1..2}" }] }]
`,
            )
            .join('')
        const topology = parseTopology(text, 'topology.yaml')
        t.is(canonicalJson(parseTopology(text, 'topology.yaml')), canonicalJson(topology))
        t.is(sites(topology).length, 1 + drafts.reduce((sum, [, , more]) => sum + more + 1, 0))
        const nodes = nodesOf(topology)
        const names = nodes.map((node) => node.name)
        t.is(new Set(names).size, names.length)
        for (const [at, node] of nodes.entries()) for (const parent of node.parents) t.true(names.indexOf(parent) < at)
      },
    ),
    { numRuns: 50 },
  )
})

test('any text is either accepted or refused with problems, never anything else', (t) => {
  const base = readFileSync(new URL('examples/federal.yaml', import.meta.url), 'utf8')
  fc.assert(
    fc.property(fc.nat(base.length), fc.nat(40), fc.string({ maxLength: 8, unit: 'binary' }), (at, cut, put) => {
      const text = base.slice(0, at) + put + base.slice(at + cut)
      try {
        parseTopology(text, 'topology.yaml')
      } catch (error) {
        t.true(error instanceof InvalidInputError && error.problems.length > 0, String(error))
      }
    }),
    { numRuns: 150 },
  )
  t.pass()
})

test('a zone settles itself unless it lets those above settle too', (t) => {
  const topology = parseTopology(
    `${head}zones:
  - { name: a, aggregators: { hosts: [{ name: a1 }] } }
  - { name: b, settle: zone, aggregators: { hosts: [{ name: b1 }] } }
  - { name: c, settle: ancestor, aggregators: { hosts: [{ name: c1 }] } }
`,
    'topology.yaml',
  )
  t.deepEqual(
    zones(topology).map(({ path, settle }) => [path as string, settle]),
    [
      ['/', 'zone'],
      ['/a', 'zone'],
      ['/b', 'zone'],
      ['/c', 'ancestor'],
    ],
  )
})
