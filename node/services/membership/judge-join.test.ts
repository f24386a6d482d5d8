import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import type { JoinHello } from './join-messages.ts'
import {
  type ExpectedPlace,
  type JoinCall,
  type JoinDecision,
  type JoinDesk,
  joinGuards,
  judgeJoin,
} from './judge-join.ts'
import type { MemberRecord, TokenRecord } from './member-records.ts'

const golden = new URL('golden/decisions.txt', import.meta.url)
const network = '0a'.repeat(32)

/** `a` is expected at n1 on any machine, `b` on machine-b alone; `c` is an aggregator. */
const places: Readonly<Record<string, ExpectedPlace>> = {
  a: { scope: '/n1', role: 'edge', id: 'site-n1', host: { name: 'a', hostId: undefined, labels: {} } },
  b: { scope: '/n1', role: 'edge', id: 'site-n1', host: { name: 'b', hostId: 'machine-b', labels: {} } },
  c: { scope: '/zone', role: 'aggregator', id: 'owner-zone', host: { name: 'c', hostId: undefined, labels: {} } },
}

interface Situation {
  readonly key?: string
  readonly enrolled?: Readonly<Record<string, string>>
  readonly machine?: Readonly<Record<string, string>>
  readonly tokens?: Readonly<Record<string, string>>
  readonly usedBy?: Readonly<Record<string, string>>
  readonly token?: readonly [host: string, hash: string]
  readonly shown?: { readonly host: string; readonly scope: string }
  readonly blocked?: readonly string[]
  readonly blockedSites?: readonly string[]
  readonly hello?: Partial<JoinHello>
  readonly expected?: readonly string[]
}

const judge = (situation: Situation, without?: (typeof joinGuards)[number]): JoinDecision => {
  const { key = 'k1', enrolled = {}, machine = {}, tokens = {}, usedBy = {}, token, shown } = situation
  const { blocked = [], blockedSites = [], expected = Object.keys(places) } = situation
  const hello: JoinHello = {
    v: 1,
    network,
    name: '',
    hostId: 'some-machine',
    role: 'edge',
    scope: '/n1',
    token: token === undefined ? null : 'shown',
    certificate: null,
    session: 0,
    ...situation.hello,
  }
  const member = (host: string): MemberRecord => ({
    host,
    scope: places[host]?.scope ?? '',
    role: places[host]?.role ?? 'edge',
    key: enrolled[host] ?? null,
    hostId: machine[host] ?? null,
    client: 1,
    certificate: 0,
    session: 0,
    past: [],
  })
  const tokenOf = (host: string): TokenRecord | undefined => {
    const hash = tokens[host]
    return hash === undefined ? undefined : { host, hash, usedBy: usedBy[host] ?? null }
  }
  const desk: JoinDesk = {
    networkId: network,
    parent: 'parent',
    expected: (host) => (expected.includes(host) ? places[host] : undefined),
    member,
    hostOfKey: (of) => Object.keys(enrolled).find((host) => enrolled[host] === of),
    hostOfHostId: (id) => Object.keys(places).find((host) => places[host]?.host.hostId === id || machine[host] === id),
    token: tokenOf,
    blocked: { keys: new Set(blocked), sites: new Set(blockedSites), tenants: new Set() },
    keyIdOf: (of) => of,
  }
  const call: JoinCall = {
    hello,
    key,
    keyId: key,
    token: token === undefined ? undefined : { host: token[0], hash: token[1] },
    shown: shown === undefined ? undefined : (shown as unknown as NonNullable<JoinCall['shown']>),
  }
  return judgeJoin(call, desk, new Set(joinGuards.filter((guard) => guard !== without)))
}

const lineOf = (decision: JoinDecision): string => {
  if (decision.kind === 'refuse') return `refuse ${decision.code}: ${decision.message}`
  if (decision.kind === 'list')
    return `list as ${decision.as}${decision.match === undefined ? '' : ` of ${decision.match}`}: ${decision.message}`
  return `admit as ${decision.host}, ${decision.how}${decision.replaces === undefined ? '' : `, instead of ${decision.replaces}`}`
}

const cases: Readonly<Record<string, Situation>> = {
  'a stranger without a token': {},
  'a stranger on the machine that is expected as b': { hello: { hostId: 'machine-b' } },
  'a host of another network': { hello: { network: '0b'.repeat(32) }, enrolled: { a: 'k1' } },
  'a key that is enrolled': { enrolled: { a: 'k1' } },
  'a key that is enrolled, on another machine than before': { enrolled: { a: 'k1' }, machine: { a: 'other' } },
  'a key that is enrolled, with a token of another host': {
    enrolled: { a: 'k1' },
    tokens: { b: 'h' },
    token: ['b', 'h'],
  },
  'a key that is enrolled, and blocked': { enrolled: { a: 'k1' }, blocked: ['k1'] },
  'a key that is enrolled, of a site that is blocked': { enrolled: { a: 'k1' }, blockedSites: ['site-n1'] },
  'an aggregator of a zone that is blocked': {
    enrolled: { c: 'k1' },
    blockedSites: ['owner-zone'],
    hello: { role: 'aggregator', scope: '/zone' },
  },
  'a key that is enrolled for a host the topology has no more': { enrolled: { a: 'k1' }, expected: ['b'] },
  'a key that is enrolled, set up for another site': { enrolled: { a: 'k1' }, hello: { scope: '/n2' } },
  'an edge that is set up as an aggregator': { enrolled: { a: 'k1' }, hello: { role: 'aggregator' } },
  'a blocked key that is enrolled nowhere': { blocked: ['k1'], tokens: { a: 'h' }, token: ['a', 'h'] },
  'a token': { tokens: { a: 'h' }, token: ['a', 'h'] },
  'a token for b on its machine': { tokens: { b: 'h' }, token: ['b', 'h'], hello: { hostId: 'machine-b' } },
  'a token for b on another machine': { tokens: { b: 'h' }, token: ['b', 'h'] },
  'a token that is wrong': { tokens: { a: 'h' }, token: ['a', 'x'] },
  'a token that was replaced or never made': { token: ['a', 'h'] },
  'a token that another key used': {
    tokens: { a: 'h' },
    usedBy: { a: 'k2' },
    enrolled: { a: 'k2' },
    token: ['a', 'h'],
  },
  'a token this key used, before another was claimed': {
    tokens: { a: 'h' },
    usedBy: { a: 'k1' },
    enrolled: { a: 'k2' },
    token: ['a', 'h'],
  },
  'a token this key used, at a parent that lost the host': {
    tokens: { a: 'h' },
    usedBy: { a: 'k1' },
    token: ['a', 'h'],
  },
  'a new token for a host with a key': { tokens: { a: 'h' }, enrolled: { a: 'k2' }, token: ['a', 'h'] },
  'a new token for a host with a blocked key': {
    tokens: { a: 'h' },
    enrolled: { a: 'k2' },
    blocked: ['k2'],
    token: ['a', 'h'],
  },
  'a token for a host of a blocked site': { tokens: { a: 'h' }, blockedSites: ['site-n1'], token: ['a', 'h'] },
  'a token for a host the topology has no more': { tokens: { a: 'h' }, expected: ['b'], token: ['a', 'h'] },
  'a token for a host of another site': { tokens: { a: 'h' }, token: ['a', 'h'], hello: { scope: '/n2' } },
  'the machine of an enrolled host with another key': {
    enrolled: { a: 'k2' },
    machine: { a: 'some-machine' },
  },
  'a certificate of another node of this zone': { shown: { host: 'a', scope: '/n1' } },
  'a certificate of another node of this zone, for a host with another key': {
    shown: { host: 'a', scope: '/n1' },
    enrolled: { a: 'k2' },
  },
  'a certificate for where the host is not expected': { shown: { host: 'a', scope: '/zone' } },
  'a certificate of another node of this zone, of a blocked site': {
    shown: { host: 'a', scope: '/n1' },
    blockedSites: ['site-n1'],
  },
}

test('the table of decisions is as it was read', (t) => {
  const text = Object.entries(cases)
    .map(([name, situation]) => `${name}\n  ${lineOf(judge(situation))}\n`)
    .join('\n')
  if (process.env.GOLDEN === 'write') writeFileSync(golden, text)
  t.true(existsSync(golden), 'run with GOLDEN=write')
  t.is(text, readFileSync(golden, 'utf8'))
})

/** For each guard somebody who is let in without it, and not with it. */
const stopped: Readonly<Record<(typeof joinGuards)[number], Situation>> = {
  network: { hello: { network: '0b'.repeat(32) }, enrolled: { a: 'k1' } },
  'blocked-key': { blocked: ['k1'], tokens: { a: 'h' }, token: ['a', 'h'] },
  'blocked-scope': { enrolled: { a: 'k1' }, blockedSites: ['site-n1'] },
  place: { enrolled: { a: 'k1' }, hello: { scope: '/n2' } },
  'token-secret': { tokens: { a: 'h' }, token: ['a', 'x'] },
  'token-unused': { tokens: { a: 'h' }, usedBy: { a: 'k2' }, enrolled: { a: 'k2' }, token: ['a', 'h'] },
  'host-id': { tokens: { b: 'h' }, token: ['b', 'h'] },
  vacant: { shown: { host: 'a', scope: '/n1' }, enrolled: { a: 'k2' } },
}

for (const guard of joinGuards)
  test(`without the guard ${guard} somebody would be let in`, (t) => {
    t.not(judge(stopped[guard]).kind, 'admit')
    t.is(judge(stopped[guard], guard).kind, 'admit')
  })
