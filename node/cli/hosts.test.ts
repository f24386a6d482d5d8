import test from 'ava'
import type { MemberView, ZoneView } from '../api/index.ts'
import { diffText } from './commands/diff.ts'
import { callerNamed, memberTable } from './commands/hosts.ts'
import { zoneTable } from './commands/zones.ts'

const key = (start: string) => start.padEnd(64, '0')

const member = (given: Partial<MemberView>): MemberView => ({
  scope: '/north/n1',
  role: 'edge',
  'oper-status': 'waiting',
  ...given,
})

const waiting = member({
  fingerprint: key('aaaaaaaaaaaaaaaa1'),
  'host-id': 'SN-1',
  address: '192.0.2.1:4',
  'last-call-ms': 61_000,
})
const rival = member({ fingerprint: key('aaaaaaaaaaaaaaaa2'), 'host-id': 'SN-1' })
const clone = member({ fingerprint: key('bbbbbbbbbbbbbbbb1'), 'host-id': 'SN-2', 'oper-status': 'duplicate' })
const enrolled = member({
  name: 'n1-a',
  site: 'n1',
  'oper-status': 'enrolled',
  fingerprint: key('cccccccccccccccc1'),
  'host-id': 'SN-2',
  address: '192.0.2.2:4',
  'last-call-ms': 900,
})

test('members are shown with the beginning of their keys, and what to do about those that wait', (t) => {
  const aggregator = member({
    name: 'south-aggregator',
    scope: '/south',
    role: 'aggregator',
    'oper-status': 'expected',
    note: 'beyond here /south answers',
  })
  t.is(
    memberTable([enrolled, aggregator, waiting, clone]),
    [
      'HOST              SITE       ROLE        STATUS     FINGERPRINT        HOST-ID   AGE  NOTE',
      'n1-a              n1         edge        enrolled   cccccccccccccccc…  SN-2       1s',
      'south-aggregator  /south     aggregator  expected   -                  -           -  beyond here /south answers',
      '-                 /north/n1  edge        waiting    aaaaaaaaaaaaaaaa…  SN-1     1m1s  calls from 192.0.2.1:4',
      '-                 /north/n1  edge        duplicate  bbbbbbbbbbbbbbbb…  SN-2        -',
      '',
      '1 waiting: compare the fingerprint, then "skerry hosts claim FINGERPRINT --as HOST"',
      '1 calling under a host-id that another key has: a clone, or a new disk',
      '',
    ].join('\n'),
  )
  t.is(memberTable([]), 'no hosts belong here, and none calls\n')
})

test('what a stranger calls itself cannot steer the terminal', (t) => {
  const evil = member({ fingerprint: key('d'), 'host-id': 'a\u001b[2Jb', address: '1\r2' })
  t.notRegex(memberTable([evil]), /(?!\n)\p{Cc}/u)
  t.throws(() => callerNamed('SN-9', [evil]), { message: /waiting: d0+… \(a\?\[2Jb\)/ })
  t.throws(() => callerNamed('\u001b[2J', []), { message: 'no host calls as ?[2J; nobody is waiting' })
})

test('a key is meant by the beginning of its fingerprint or by its host-id', (t) => {
  const all = [enrolled, waiting, clone]
  t.is(callerNamed(key('aaaaaaaaaaaaaaaa1'), all), key('aaaaaaaaaaaaaaaa1'))
  t.is(callerNamed('aaaaaaaaaaaaaaaa', all), key('aaaaaaaaaaaaaaaa1'))
  t.is(callerNamed('aaaaaaaaaaaaaaaa…', all), key('aaaaaaaaaaaaaaaa1'))
  t.is(callerNamed('SN-1', all), key('aaaaaaaaaaaaaaaa1'))
})

test('the caller under a taken host-id is the one that is not let in yet', (t) => {
  t.is(callerNamed('SN-2', [enrolled, clone]), key('bbbbbbbbbbbbbbbb1'))
  t.is(callerNamed('SN-2', [enrolled]), key('cccccccccccccccc1'))
})

test('too short a beginning, several callers and none are refused, naming who calls', (t) => {
  t.throws(() => callerNamed('aaaaaaaaaaaaaaa', [waiting]), {
    code: 'not-found',
    message: /waiting: aaaaaaaaaaaaaaaa… \(SN-1\)/,
  })
  for (const text of ['aaaaaaaaaaaaaaaa', 'SN-1'])
    t.throws(() => callerNamed(text, [waiting, rival]), { code: 'ambiguous', message: /name one by its fingerprint/ })
})

test('a difference stands beside what the other site has', (t) => {
  const differences = [
    { what: 'application shop version', a: '2', b: '3' },
    { what: 'label shop.example/canary', a: 'true' },
  ]
  t.is(
    diffText({ a: 'n1', b: 'n2', differences }),
    [
      'WHAT                       N1    N2',
      'application shop version   2     3',
      'label shop.example/canary  true  -',
      '',
    ].join('\n'),
  )
  t.is(diffText({ a: 'n1', b: 'n2', differences: [] }), 'n1 and n2 are alike\n')
})

test('zones are shown with who runs them, the link there, and whose word counts', (t) => {
  const zone = (scope: string, given: Partial<ZoneView> = {}): ZoneView => ({
    scope,
    name: scope,
    privacy: false,
    policy: { reports: 'all' },
    zones: 0,
    sites: 2,
    aggregators: [],
    ...given,
  })
  const {
    zones: _,
    sites: __,
    ...south
  } = zone('/south', {
    privacy: true,
    policy: { reports: 'summary' },
    aggregators: [{ node: 'south-aggregator', link: 'down', 'age-ms': 300_000 }],
    authority: { generation: 2, 'stale-for-ms': 300_000 },
    note: 'beyond here /south answers',
  })
  t.is(
    zoneTable([
      zone('/', { zones: 2, sites: 0, aggregators: [{ node: 'tower' }], authority: { generation: 1 } }),
      zone('/north', {
        aggregators: [
          { node: 'north-1', link: 'down', 'age-ms': 1_000 },
          { node: 'north-2', link: 'up', 'age-ms': 1_000 },
        ],
      }),
      south,
    ]),
    [
      'ZONE    PRIVACY  ZONES  SITES  REPORTS LEAVE AS  RUN BY            LINK         GENERATION  AUTHORITY     NOTE',
      '/       no           2      0  -                 tower             -                     1  fresh',
      '/north  no           0      2  all               north-1, north-2  up                    -  -',
      '/south  yes          -      -  summary           south-aggregator  down for 5m           2  stale for 5m  beyond here /south answers',
      '',
    ].join('\n'),
  )
})
