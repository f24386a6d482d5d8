import test from 'ava'
import fc from 'fast-check'
import type { ApplicationSiteView, ApplicationStateView, HostView, SiteView } from '../api/index.ts'
import { siteDiffView } from './diff-view.ts'

const count = (value: number) => ({ count: value })

const host = (site: string, name: string, given: Partial<HostView> = {}): HostView => ({
  name,
  site,
  scope: `/${site}`,
  node: name,
  'oper-status': 'up',
  labels: { 'system/name': name },
  ...given,
})

const siteOf = (name: string, labels: Record<string, string>, hosts: readonly HostView[]): SiteView => ({
  name,
  scope: `/${name}`,
  type: 'edge',
  labels: { ...labels, 'system/name': name, 'system/type': 'edge' },
  hosts,
  'oper-status': 'up',
})

const row = (site: string, given: Partial<ApplicationSiteView> = {}): ApplicationSiteView => ({
  site,
  version: '2',
  phase: 'run',
  revision: 'r2',
  wanted: count(2),
  downloaded: count(1),
  running: count(2),
  ready: count(2),
  failing: count(0),
  unknown: count(0),
  waiting: [],
  ingress: [],
  ...given,
})

const application = (name: string, sites: readonly ApplicationSiteView[]): ApplicationStateView => ({
  name,
  version: '2',
  'oper-status': 'running',
  sites,
})

const lines = (a: SiteView, b: SiteView, applications: readonly ApplicationStateView[]) =>
  siteDiffView(a, b, applications).differences.map((one) => `${one.what}: ${one.a ?? '-'} | ${one.b ?? '-'}`)

const n1 = siteOf('n1', { 'shop.example/size': 'large', 'region.example/name': 'north' }, [
  host('n1', 'n1-a'),
  host('n1', 'n1-b'),
])
const n2 = siteOf('n2', { 'shop.example/size': 'small', 'region.example/name': 'north' }, [host('n2', 'n2-a')])

test('two sites that differ only in their names and those of their hosts are alike', (t) => {
  const twin = siteOf('n3', n2.labels, [host('n3', 'n3-a')])
  const shop = application('shop', [row('n2'), row('n3')])
  t.deepEqual(siteDiffView(n2, twin, [shop]), { a: 'n2', b: 'n3', differences: [] })
})

test('labels and hosts that differ are named, and what only one site has stands alone', (t) => {
  const runtime = { driver: 'process', version: '1', state: 'up', 'port-range': [1, 2] } as const
  const other = siteOf('n2', { 'shop.example/size': 'small', canary: '' }, [
    host('n2', 'n2-a', { 'oper-status': 'unknown', runtime, labels: { disk: 'ssd', gpu: '' } }),
  ])
  t.deepEqual(lines(n1, other, []), [
    'hosts: 2 | 1',
    'hosts run on: - | process 1',
    'hosts up: 2 of 2 | 0 of 1',
    'label canary: - | ',
    'label region.example/name: north | -',
    'label shop.example/size: large | small',
    'labels of hosts: - | disk=ssd, gpu',
  ])
})

test('an application differs by what is wanted of it, how far it is, and what it waits for', (t) => {
  const waiting = [{ reason: 'image-not-here', detail: 'demo/shop:3', 'for-ms': 1 }]
  const twin = siteOf('n2', n1.labels, n1.hosts)
  t.deepEqual(
    lines(n1, twin, [
      application('shop', [
        row('n1'),
        row('n2', { version: '3', revision: 'r3', ready: count(0), failing: count(1), unknown: count(1), waiting }),
        row('n2', { phase: 'former', version: '2' }),
      ]),
      application('till', [row('n1'), row('n3')]),
      application('kiosk', [row('n1', { phase: 'retired' }), row('n2', { phase: 'retired' })]),
    ]),
    [
      'application shop failing: - | 1',
      'application shop ready: 2 of 2 | 0 of 2',
      'application shop revision: r2 | r3',
      'application shop still runs: - | 2',
      'application shop unknown: - | 1',
      'application shop version: 2 | 3',
      'application shop waits for: - | image-not-here',
      'application till is to: run | -',
      'application till ready: 2 of 2 | -',
      'application till revision: r2 | -',
      'application till version: 2 | -',
    ],
  )
})

const anyRow = (site: string) =>
  fc
    .record({
      version: fc.constantFrom('1', '2'),
      phase: fc.constantFrom('run' as const, 'retired' as const, 'former' as const),
      ready: fc.nat(2).map(count),
    })
    .map((given) => row(site, given))

test('a site is like itself, and asked the other way round the answer is turned round', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('n1', 'n2').chain(anyRow), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('', 'x')),
      (rows, labels) => {
        const [a, b] = [siteOf('n1', labels, n1.hosts), n2]
        const applications = [application('shop', rows)]
        t.deepEqual(siteDiffView(a, a, applications).differences, [])
        const turned = siteDiffView(b, a, applications).differences.map(({ what, a: atA, b: atB }) => ({
          what,
          ...(atB !== undefined && { a: atB }),
          ...(atA !== undefined && { b: atA }),
        }))
        t.deepEqual(siteDiffView(a, b, applications).differences, turned)
      },
    ),
    { numRuns: 60 },
  )
})
