import test from 'ava'
import { type PolicyKind, policyKinds, type ZonePolicy } from '../../topologies/index.ts'
import type { Standing } from './certificate.ts'
import { matchesGolden } from './golden-text.contract.ts'
import type { Lane } from './lane.ts'
import { mayRead, type ReadableDocument } from './may-read.ts'
import { idNamed, keyNamed, makeCertificate, scope } from './world.contract.ts'

const shop = idNamed('shop')
const policy = (level: 'all' | 'none', change: Partial<ZonePolicy> = {}): ZonePolicy => ({
  ...(Object.fromEntries(policyKinds.map((kind: PolicyKind) => [kind, level])) as ZonePolicy),
  ...change,
})
const policies = new Map([
  ['/', policy('all')],
  ['/de', policy('all')],
  ['/de/hesse', policy('all', { 'changes-author': 'none' })],
  ['/de/saxony', policy('all')],
  ['/de/bavaria', policy('none', { reports: 'summary' })],
  ['/de/silent', policy('none')],
])
const sites = ['/de/saxony/leipzig', '/de/hesse/fulda', '/de/bavaria/munich']
const scopes = [...policies.keys(), ...sites]
const documentOf = (lane: Lane, change: Partial<ReadableDocument> = {}): ReadableDocument => ({
  lane,
  isSite: lane.kind !== 'tenant' && sites.includes(lane.scope),
  policies,
  ...change,
})
const member = (at: string, change: Partial<Standing> = {}): Standing => ({
  certificate: makeCertificate(at, 'node', 'de').body,
  keyId: keyNamed('node').keyId,
  isBlocked: false,
  isSuperseded: false,
  ...change,
})

const local = (at: string) => documentOf({ kind: 'local', scope: scope(at), tenant: shop })
const zone = (at: string, side: 'parent' | 'own') => documentOf({ kind: 'zone', scope: scope(at), side })
const report = (at: string) => documentOf({ kind: 'report', scope: scope(at) })
const intent = (at: string, owner: string) =>
  documentOf({ kind: 'intent', scope: scope(at), tenant: shop, owner: scope(owner) })
const ofTenant = { home: scope('/'), delegatedTo: [scope('/de/bavaria')] }

const documents: Readonly<Record<string, ReadableDocument>> = {
  'tenant/shop (home /, delegated to /de/bavaria)': documentOf({ kind: 'tenant', tenant: shop }, ofTenant),
  'tenant/shop (home unknown)': documentOf({ kind: 'tenant', tenant: shop }),
  'access//de/hesse/shop (home /)': documentOf({ kind: 'access', scope: scope('/de/hesse'), tenant: shop }, ofTenant),
  'intent//de/shop//': intent('/de', '/'),
  'intent//de/saxony/leipzig/shop//de/saxony': intent('/de/saxony/leipzig', '/de/saxony'),
  'intent//de/bavaria/shop//de': intent('/de/bavaria', '/de'),
  'local//de/saxony/leipzig/shop (all leave)': local('/de/saxony/leipzig'),
  'local//de/saxony/shop (all leave)': local('/de/saxony'),
  'local//de/hesse/fulda/shop (authors stay in /de/hesse)': local('/de/hesse/fulda'),
  'local//de/bavaria/munich/shop (nothing leaves)': local('/de/bavaria/munich'),
  'local//de/bavaria/shop (nothing leaves)': local('/de/bavaria'),
  'zone//de/saxony of the parent': zone('/de/saxony', 'parent'),
  'zone//de/saxony of its own': zone('/de/saxony', 'own'),
  'zone//de/bavaria of the parent': zone('/de/bavaria', 'parent'),
  'zone//de/bavaria of its own (no names leave)': zone('/de/bavaria', 'own'),
  'member//de/bavaria/munich': documentOf({ kind: 'member', scope: scope('/de/bavaria/munich') }),
  'report//de/bavaria/munich': report('/de/bavaria/munich'),
  'report//de/bavaria (summaries leave)': report('/de/bavaria'),
  'report//de/silent (nothing leaves)': report('/de/silent'),
  'report//de/saxony': report('/de/saxony'),
}

test('who may read each document', (t) => {
  const rows = Object.entries(documents).map(([name, document]) => {
    const readers = scopes.filter((at) => mayRead(document, member(at), undefined))
    return `${name.padEnd(56)} ${readers.join(' ') || '-'}`
  })
  matchesGolden(t, 'may-read.txt', rows.join('\n'))
})

test('unknown, forbidden and absent get one answer', (t) => {
  const answers = [
    mayRead(undefined, member('/'), undefined),
    mayRead(documents['local//de/bavaria/shop (nothing leaves)'], member('/'), undefined),
    mayRead(documents['report//de/saxony'], member('/nowhere'), undefined),
  ]
  t.deepEqual(answers, [false, false, false])
})

test('a blocked, expired or superseded member, or one that may not join, reads nothing', (t) => {
  const document = report('/de/saxony')
  t.true(mayRead(document, member('/de'), 1_500))
  t.true(mayRead(document, member('/de'), undefined), 'without trusted time dates say nothing')
  t.false(mayRead(document, member('/de'), 2_000))
  t.false(mayRead(document, member('/de', { isBlocked: true }), 1_500))
  t.false(mayRead(document, member('/de', { isSuperseded: true }), 1_500))
  const mute = { ...member('/de').certificate, capabilities: ['report'] }
  t.false(mayRead(document, member('/de', { certificate: mute }), 1_500))
})

test('a zone whose policy is not known lets nothing out', (t) => {
  const document = { ...local('/de/saxony'), policies: new Map() }
  t.false(mayRead(document, member('/de'), undefined))
  t.true(mayRead(document, member('/de/saxony'), undefined), 'its own scope still reads it')
})

test('an outer zone narrows what an inner one lets out', (t) => {
  const tight = new Map([...policies, ['/de', policy('none')]])
  const document = { ...local('/de/saxony/leipzig'), policies: tight }
  t.true(mayRead(document, member('/de'), undefined))
  t.false(mayRead(document, member('/'), undefined))
})
