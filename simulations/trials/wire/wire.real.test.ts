import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { parseTopology } from '../../../topologies/index.ts'
import type { TrialRow } from '../trial-row.ts'
import { caughtRow, honestRows, runWire, type WireRun } from './wire-trial.ts'

/** A cut of federal: a zone with all borders open, one behind another, and one that keeps everything to itself. */
const cut = `version: 1
network: cut
towers:
  site: centre
  hosts: [{ name: tower }]
zones:
  - name: open
    aggregators: { hosts: [{ name: open-aggregator }] }
    sites:
      - name: o1
        hosts: [{ name: o1-a }]
  - name: counted
    privacy: true
    aggregators: { hosts: [{ name: counted-aggregator }] }
    sites:
      - name: c1
        hosts: [{ name: c1-a }]
      - name: c2
        hosts: [{ name: c2-a }]
  - name: dumb
    policy: { logs: none, operations: none }
    aggregators: { hosts: [{ name: dumb-aggregator }] }
    sites:
      - name: d1
        hosts: [{ name: d1-a }]
`

const say = () => {}
const runCut = async (breakOnPurpose?: { mayRead: () => boolean }): Promise<WireRun> => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-wire-'))
  try {
    return await runWire({
      topology: parseTopology(cut, 'cut'),
      seed: 5,
      folder,
      ...(breakOnPurpose && { breakOnPurpose }),
      say,
      signal: new AbortController().signal,
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const lineOf = ({ what, tried, broken, holds }: TrialRow) =>
  `${holds ? 'holds' : 'BROKEN'} ${what}: ${broken} of ${tried}`

test('nothing leaves a zone that may not, and the same search finds controls and what a broken mayRead lets out', async (t) => {
  t.timeout(110_000)
  const [honest, broken] = await Promise.all([runCut(), runCut({ mayRead: () => true })])
  const rows = [...honestRows(honest), caughtRow('mayRead-yes', broken, honest)]
  t.deepEqual(rows.filter(({ holds }) => !holds).map(lineOf), [], rows.map(lineOf).join('\n'))
  t.true(rows.filter(({ what }) => /none|summary/.test(what)).every(({ tried }) => tried > 0))
})

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/\.(test|contract)\.ts$/.test(name))
    .map((name) => join(folder, name))

test('no option, file or variable of a node reaches the tap or the answer of mayRead', (t) => {
  const node = join(import.meta.dirname, '..', '..', '..', 'node')
  for (const path of filesBelow(node)) {
    const text = readFileSync(path, 'utf8')
    t.notRegex(text, /simulations\//, `${path} reaches a simulation`)
    // The power is declared, and taken where it was handed in; nothing that starts a node makes one.
    const uses = [...text.matchAll(/\bmayRead\??\s*[:,]|powers\.mayRead/g)].map(([use]) => use)
    if (/\/bin\/|config\.ts$|\/cli\/|\/api\//.test(path)) t.deepEqual(uses, [], path)
  }
})
