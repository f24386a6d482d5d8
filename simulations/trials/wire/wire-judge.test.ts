import test from 'ava'
import type { ScopePath } from '../../../base/index.ts'
import { type PolicyKind, parseTopology } from '../../../topologies/index.ts'
import type { Canary } from './canary-register.ts'
import type { Sighting } from './look.ts'
import { describeLeak, leaksIn, missedIn, rowsByKind } from './wire-judge.ts'

const topology = parseTopology(
  `version: 1
network: judged
towers: { site: centre, hosts: [{ name: tower }] }
zones:
  - name: outer
    policy: { logs: none }
    aggregators: { hosts: [{ name: outer-a }] }
    zones:
      - name: inner
        privacy: true
        aggregators: { hosts: [{ name: inner-a }] }
        sites: [{ name: site, hosts: [{ name: host }] }]
  - name: other
    aggregators: { hosts: [{ name: other-a }] }
`,
  'judged',
)
const at = (scope: string) => scope as ScopePath
const canary = (kind: PolicyKind, scope: string, what = 'engine of a host, in its report'): Canary => ({
  kind,
  scope: at(scope),
  what,
})
const seen = (needle: string, reader: string, more: Partial<Sighting> = {}): Sighting => ({
  needle,
  place: 'link',
  reader: at(reader),
  where: 'reports',
  writing: 'utf-8',
  folds: [],
  pieceBytes: 10,
  around: 'x',
  ...more,
})

test('what a zone keeps back may be in it and below it, and at nobody above or beside', (t) => {
  const planted = [['word', canary('names', '/outer/inner')]] as const
  const readers = ['/outer/inner', '/outer/inner/site', '/outer', '/', '/other']
  t.deepEqual(
    leaksIn(
      topology,
      planted,
      readers.map((reader) => seen('word', reader)),
    ).map(({ reader, right }) => `${reader} ${right}`),
    ['/outer none', '/ none', '/other stranger'],
  )
})

test('whoever sends a thing down holds it too', (t) => {
  const planted = [['word', canary('names', '/outer/inner')]] as const
  const [leak] = leaksIn(topology, planted, [seen('word', '/outer/inner', { from: at('/outer') })])
  t.is(leak?.reader, at('/outer'))
  t.is(
    leak && describeLeak(leak),
    'names (engine of a host, in its report) of /outer/inner, none for /outer: link /outer → /outer/inner, reports: x',
  )
})

test('a host that its parent enrols may be known there by name, and not further up', (t) => {
  const planted = [['word', { ...canary('names', '/outer/inner'), knownToParent: true }]] as const
  const leaks = leaksIn(topology, planted, [seen('word', '/outer'), seen('word', '/')])
  t.deepEqual(
    leaks.map(({ reader }) => reader),
    ['/'],
  )
})

test('rows count pairs of a canary and an ancestor, and controls that were not found are broken', (t) => {
  const planted = [
    ['log', canary('logs', '/outer', 'last line of a failing container')],
    ['report', canary('reports', '/outer')],
  ] as const
  const rows = (sightings: readonly Sighting[]) =>
    rowsByKind(topology, planted, sightings).map(
      ({ what, tried, broken, holds }) => `${what}: ${broken} of ${tried} ${holds}`,
    )
  t.deepEqual(rows([seen('report', '/')]), [
    'reports all (found): 0 of 1 true',
    'logs none: 0 of 1 true',
    'of zones and sites apart: 0 of 4 true',
  ])
  t.deepEqual(rows([seen('log', '/'), seen('log', '/other')]), [
    'reports all (found): 1 of 1 false',
    'logs none: 1 of 1 false',
    'of zones and sites apart: 1 of 4 false',
  ])
  t.deepEqual(
    missedIn(topology, planted, []).map(([{ kind }, ancestor]) => `${kind} ${ancestor}`),
    ['reports /'],
  )
  t.deepEqual(rows([seen('report', '/', { place: 'calibration' })])[0], 'reports all (found): 1 of 1 false')
})
