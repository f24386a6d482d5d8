import test from 'ava'
import type {
  ApplicationSiteView,
  ApplicationStateView,
  ApplicationZoneView,
  ExplainView,
  HostView,
  TreeView,
} from '../api/index.ts'
import { readiness } from './commands/apply.ts'
import { explainText } from './commands/explain.ts'
import { treeText } from './commands/places.ts'
import { hostTable, ingressTable, nodeLines, statusTable, waitingLines } from './commands/status.ts'

const count = (value: number) => ({ count: value, 'age-ms': 1_000 })

const siteView = (site: string, given: Partial<ApplicationSiteView> = {}): ApplicationSiteView => ({
  site,
  version: '2',
  phase: 'run',
  revision: 'r2',
  wanted: count(2),
  downloaded: count(1),
  running: count(2),
  ready: count(1),
  failing: count(0),
  unknown: count(0),
  'age-ms': 3_000,
  waiting: [],
  ingress: [],
  ...given,
})

const shop = (
  sites: readonly ApplicationSiteView[],
  given: Partial<ApplicationStateView> = {},
): ApplicationStateView => ({
  name: 'shop',
  version: '2',
  'oper-status': 'deploying',
  'wanted-revision': 'r2',
  sites,
  ...given,
})

test('status shows a line for each application and site', (t) => {
  const text = statusTable(
    [shop([siteView('n1'), siteView('n2', { 'age-ms': 90_000, unknown: count(2) })]), shop([], { name: 'till' })],
    false,
  )
  t.is(
    text,
    [
      'APPLICATION  VERSION  SITE            WANTED  DOWNLOADED  RUNNING  READY  FAILING  UNKNOWN    AGE',
      'shop         2        n1                   2           1        2      1        0        0     3s',
      'shop         2        n2                   2           1        2      1        0        2  1m30s',
      'till         2        (not deployed)       -           -        -      -        -        -      -',
      '',
    ].join('\n'),
  )
})

const counted = (zone: string, given: Partial<ApplicationZoneView> = {}): ApplicationZoneView => ({
  zone,
  version: '2',
  wanted: count(2),
  running: count(2),
  ready: count(2),
  failing: count(0),
  unknown: count(0),
  conflict: count(0),
  'age-ms': 5_000,
  note: 'counts only',
  ...given,
})

test('a zone that lets out counts alone has a line of its own', (t) => {
  const text = statusTable(
    [
      shop([siteView('n1')], { zones: [counted('/south', { conflict: count(1) })] }),
      shop([], { name: 'till', zones: [counted('/south')] }),
    ],
    false,
  )
  t.is(
    text,
    [
      'APPLICATION  VERSION  SITE                                 WANTED  DOWNLOADED  RUNNING  READY  FAILING  UNKNOWN  AGE',
      'shop         2        n1                                        2           1        2      1        0        0   3s',
      'shop         2        /south (counts only, 1 in conflict)       2           -        2      2        0        0   5s',
      'till         2        /south (counts only)                      2           -        2      2        0        0   5s',
      '',
    ].join('\n'),
  )
})

test('a zone of which counts are known holds up what waits for it, until nothing of another version is left', (t) => {
  const ready = (...zones: readonly ApplicationZoneView[]) =>
    readiness(shop([siteView('n1', { ready: count(2) })], { 'oper-status': 'running', 'wanted-version': '2', zones }))
  t.deepEqual(ready(counted('/south')), { ready: true, line: 'shop 2: 4 of 4 ready, 4 running' })
  t.false(ready(counted('/south', { ready: count(1) })).ready)
  t.false(ready(counted('/south', { version: '1' })).ready)
  t.true(ready(counted('/south'), counted('/south', { version: '1', wanted: count(0), running: count(0) })).ready)
})

test('many sites are folded by version and say so', (t) => {
  const sites = Array.from({ length: 100 }, (_, n) =>
    siteView(`n${n}`, n < 10 ? { version: '1', 'age-ms': 60_000 } : {}),
  )
  t.is(
    statusTable([shop(sites)], false),
    [
      'APPLICATION  VERSION  SITE      WANTED  DOWNLOADED  RUNNING  READY  FAILING  UNKNOWN  AGE',
      'shop         1        10 sites      20          10       20     10        0        0   1m',
      'shop         2        90 sites     180          90      180     90        0        0   3s',
      'folded by version; --all shows each site',
      '',
    ].join('\n'),
  )
  t.is(statusTable([shop(sites)], true).split('\n').length, 102)
})

test('what is not here yet is listed with its reason', (t) => {
  const waiting = [{ reason: 'image-not-here', detail: 'demo/shop:2', instance: 'shop.web-1', 'for-ms': 61_000 }]
  t.is(
    waitingLines([shop([siteView('n1', { waiting })])]),
    '\nnot here yet:\n  shop.web-1 at n1: image-not-here for 1m1s: demo/shop:2\n',
  )
  t.is(waitingLines([shop([siteView('n1')])]), '')
})

test('hosts show their driver, bridge, subnet and ports', (t) => {
  const runtime = {
    driver: 'containerd',
    version: '1.6.20',
    state: 'up',
    bridge: 'sk0',
    subnet: '10.90.0.0/24',
    'port-range': [20_000, 20_099],
  } as const
  const host: HostView = {
    name: 'n1-a',
    site: 'n1',
    scope: '/n1',
    node: 'n1-a',
    'oper-status': 'up',
    'age-ms': 900,
    labels: {},
    runtime,
  }
  t.is(
    hostTable([host]),
    'HOST  SITE  STATUS  DRIVER             BRIDGE  SUBNET        PORTS        AGE\n' +
      'n1-a  n1    up      containerd 1.6.20  sk0     10.90.0.0/24  20000-20099   1s\n',
  )
})

test('the tree is drawn with its borders', (t) => {
  const leaf = (kind: TreeView['kind'], name: string, given: Partial<TreeView> = {}): TreeView => ({
    scope: `/${name}`,
    name,
    kind,
    children: [],
    ...given,
  })
  const tree = leaf('zone', 'demo', {
    scope: '/',
    children: [
      leaf('site', 'n1', {
        'oper-status': 'up',
        children: [leaf('host', 'n1-a', { 'oper-status': 'up', 'age-ms': 2_000 })],
      }),
      leaf('border', 'bavaria', { note: 'beyond here /de/bavaria answers' }),
    ],
  })
  t.is(
    treeText(tree),
    [
      'zone demo  /',
      '├─ site n1  /n1  (up)',
      '│  └─ host n1-a  (up, heard 2s ago)',
      '└─ border bavaria  /bavaria  (beyond here /de/bavaria answers)',
      '',
    ].join('\n'),
  )
})

test('an explanation ends with where it stopped and what to do', (t) => {
  const view = {
    application: 'shop',
    site: 'n1',
    ok: false,
    links: [
      { step: 'application', state: 'done', text: 'known' },
      { step: 'image', state: 'stopped', text: 'demo/shop:2 is not here', 'age-ms': 61_000 },
    ],
    'stopped-at': 'image',
    advice: 'import it',
    late: ['late in tenant/t/config: a key of this node wrote it'],
  } as const
  t.is(
    explainText(view),
    [
      'ok    application: known',
      'STOP  image: demo/shop:2 is not here (1m1s)',
      '',
      'shop does not run at n1: it stopped at image',
      'what to do: import it',
      'late in tenant/t/config: a key of this node wrote it',
      '',
    ].join('\n'),
  )
})

test('what nobody can say now is unknown, with its age and what was known last', (t) => {
  const view = { application: 'shop', site: 'n1', ok: false, links: [], 'stopped-at': 'link' } as const
  const last = (unknown: ExplainView['unknown']) => explainText({ ...view, ...(unknown && { unknown }) })
  t.is(last({ 'since-ms': 300_000, 'last-known': 'ready' }), '\nshop at n1: unknown for 5m; last known: ready\n')
  t.is(last({}), '\nshop at n1: unknown\n')
})

test('an application is ready when every site runs what its deployment asks for, whichever version that is', (t) => {
  const running = { 'oper-status': 'running' }
  t.deepEqual(readiness(shop([siteView('n1')], running)), { ready: true, line: 'shop 2: 1 of 2 ready, 2 running' })
  t.true(readiness(shop([siteView('n1', { version: '1' })], running)).ready)
  t.false(readiness(shop([siteView('n1', { version: '1', revision: 'r1' })], running)).ready)
  t.false(readiness(shop([siteView('n1')])).ready)
})

test('what still runs of the version before is not counted as ready', (t) => {
  const none = { running: count(0), ready: count(0) }
  const former = siteView('n1', { version: '1', phase: 'former', ready: count(2) })
  t.is(readiness(shop([siteView('n1', none), former])).line, 'shop 2: 0 of 2 ready, 0 running')
})

test('host ports are shown with the address to ask and what they lead to', (t) => {
  const ingress = [
    {
      instance: 'shop.web-1',
      host: 'n1-a',
      address: '127.0.0.1',
      protocol: 'tcp',
      'host-port': 20_100,
      'container-port': 8_080,
    } as const,
  ]
  t.is(
    ingressTable([shop([siteView('n1', { ingress })])], false),
    '\nADDRESS          LEADS TO             SITE  HOST\n127.0.0.1:20100  shop.web-1 tcp 8080  n1    n1-a\n',
  )
  t.is(ingressTable([shop([siteView('n1')])], false), '')
})

test('a node below says how its link to its parent is', (t) => {
  const node = {
    name: 'n1-a',
    role: 'edge',
    version: '0',
    scope: '/n1',
    pid: 1,
    'uptime-ms': 1,
    notes: ['outbound traffic is open (not filtered yet)'],
  } as const
  t.is(
    nodeLines({ ...node, parent: { node: 'tower', link: 'down', 'age-ms': 300_000 } }),
    'parent tower: link down for 5m\nnote: outbound traffic is open (not filtered yet)\n',
  )
})
