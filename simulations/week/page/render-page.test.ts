import test from 'ava'
import { toReport } from '../report.ts'
import { sampleRecord } from '../sample-record.contract.ts'
import { renderPage } from './index.ts'

const page = (given = {}) => renderPage(toReport(sampleRecord(given), 'skerry 0.0.0'))

/** Elements that stay open, or are closed without being open. */
const unbalanced = (text: string): readonly string[] => {
  const open: string[] = []
  const wrong: string[] = []
  for (const [, close, name = '', rest = ''] of text.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>/gi)) {
    if (close) {
      if (open.pop() !== name) wrong.push(name)
    } else if (!/^(meta|br)$/.test(name) && !rest.endsWith('/')) open.push(name)
  }
  return [...open, ...wrong]
}

test('the page shows the tree, the versions, the cut, the curve, the links and the words', (t) => {
  const text = page()
  for (const words of [
    /<h1>sample<\/h1>/,
    /n2: cut off for 8m/,
    /n1: version 2 on 1 of 1 host, 05:00 to 20:00/,
    /the tower heard nothing of n2 for 8m/,
    /class="curve" d="M/,
    /<td class="name">\/north<\/td>/,
    /2\.0 KiB/,
    /n2 took version 2 after 24s and ran it after 30s\./,
    /skerry simulate \.\/sample\.yaml --seed 1/,
  ])
    t.regex(text, words)
  t.deepEqual(unbalanced(text), [])
})

test('the page needs nothing from anywhere, and runs no script', (t) => {
  const text = page()
  t.notRegex(text, /<(script|link|img|iframe|object|embed|base|form)\b/i)
  t.notRegex(text, /\b(src|href|action)=|@import|https?:|javascript:/i)
  t.deepEqual([...new Set(text.match(/url\([^)]*\)/g))], ['url(#hatch)'])
  t.regex(text, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/)
})

test('names cannot break out of the page, wherever they stand', (t) => {
  const evil = `"><script>alert(1)</script><img src=x onerror='x'>&amp;\u0000\u001b`
  const plain = sampleRecord()
  const [cut, upgrade] = plain.steps
  const [n1, n2] = plain.sites
  if (!cut || !upgrade || !n1 || !n2) return t.fail()
  const text = page({
    network: evil,
    topologyFile: evil,
    scenarioFile: evil,
    plan: evil,
    days: [{ fromMs: 0, title: evil }],
    leftOut: [evil],
    zones: plain.zones.map((zone) => ({ ...zone, name: evil, hosts: [evil, ...zone.hosts] })),
    sites: [{ ...n1, name: evil, hosts: [evil] }, n2],
    steps: [
      { ...cut, target: evil, targetKind: 'host', sites: [evil] },
      { ...upgrade, version: evil, refused: evil },
    ],
    wanted: [...plain.wanted, { atMs: 400_000, version: evil }],
    links: plain.links.map((link) => ({
      ...link,
      child: evil,
      parent: evil,
      scope: evil,
      kinds: [{ kind: evil, upBytes: 1, downBytes: 1 }],
    })),
    checks: [{ invariant: 1, sentence: evil, judged: 1, violations: [evil] }],
    digest: evil,
  })
  t.notRegex(text, /<script|<img|onerror='/)
  t.false(text.includes('\u0000') || text.includes('\u001b'))
  t.deepEqual(unbalanced(text), [])
  t.true(text.split('&lt;script&gt;').length > 12)
})

test('one record gives one page, byte for byte', (t) => {
  t.is(page(), page())
})

test('a tree of one site without a zone, and a run in which nothing was done, are drawn too', (t) => {
  const [, site] = sampleRecord().sites
  const text = page({
    zones: [{ path: '/', name: 'sample', depth: 0, privacy: false, hosts: ['tower'] }],
    sites: site ? [{ ...site, path: '/n2', depth: 1, ran: [] }] : [],
    steps: [],
    links: [],
    share: [],
  })
  t.deepEqual(unbalanced(text), [])
  t.notRegex(text, /NaN|undefined|Infinity/)
})
