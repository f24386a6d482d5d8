import test from 'ava'
import type { HostReading, SeenContainer } from './host-reading.ts'
import { compareHealthy, type Judgement, judge } from './judge.ts'
import type { WantedContainer, WantedInstance } from './workload.ts'

const wantedContainer = (part: Partial<WantedContainer> = {}): WantedContainer => ({
  application: 'shop',
  instance: 'shop.web-1',
  container: 'web',
  version: '1',
  changes: false,
  crashes: false,
  ...part,
})
const seen = (part: Partial<SeenContainer> = {}): SeenContainer => ({
  namespace: 'skerry-default',
  id: 'web-1',
  instance: 'shop.web-1',
  container: 'web',
  specHash: 's',
  trialVersion: '1',
  status: 'RUNNING',
  pid: 100,
  startTicks: 5,
  ...part,
})
const wanted: readonly WantedInstance[] = [{ id: 'shop.web-1', page: 'hello', containers: [wantedContainer()] }]
const reading = (part: Partial<HostReading> = {}): HostReading => ({
  processes: [
    { pid: 10, startTicks: 1, args: ['node', 'skerry-node.mjs', '--config', '/d/node.yaml'] },
    { pid: 11, startTicks: 1, args: ['containerd', '--config', '/r/config.toml'] },
    { pid: 12, startTicks: 1, args: ['containerd-shim-runc-v2', '-id', 'web-1'] },
  ],
  engines: [11],
  shims: [{ pid: 12, id: 'web-1' }],
  cgroups: { 'web-1': [100, 101] },
  containers: [seen()],
  snapshots: ['web-1'],
  leases: [],
  mounts: ['/r/netns/k1', '/r/task/web-1/rootfs'],
  bundles: ['web-1'],
  netns: ['k1'],
  addresses: [{ address: '10.0.0.2', key: 'k1' }],
  records: ['k1'],
  ports: [{ key: 'k1', hostPort: 20_000 }],
  chains: ['CNI-DN-1', 'CNI-DN-of-another'],
  rules: ['a', 'b', 'c'],
  bridgePorts: 1,
  fileDirs: ['web-1'],
  ...part,
})
const judgement = (part: Partial<HostReading> = {}, rest: Partial<Judgement> = {}): Judgement => ({
  wanted,
  reading: reading(part),
  edgeRuns: true,
  pages: { 'shop.web-1': 'hello' },
  networks: { 'shop.web-1': { key: 'k1', chain: 'CNI-DN-1' }, 'shop.web-2': { key: 'k2', chain: 'CNI-DN-2' } },
  deadSockets: [],
  ...rest,
})
const told = (part: Partial<HostReading> = {}, rest: Partial<Judgement> = {}) =>
  judge(judgement(part, rest)).map(({ row, text }) => `${row}: ${text}`)

test('a host that is as wanted has no fault', (t) => {
  t.deepEqual(told(), [])
})

const downs: readonly (readonly [string, Partial<HostReading>, RegExp])[] = [
  ['no container', { containers: [] }, /^wanted-up: shop\.web-1\/web has no container/],
  ['two containers', { containers: [seen(), seen({ id: 'web-2' })] }, /has 2 containers/],
  ['another version', { containers: [seen({ trialVersion: '2' })] }, /runs version 2, wanted is 1/],
  ['a task that ended', { containers: [seen({ status: 'STOPPED' })] }, /is STOPPED/],
  ['no task', { containers: [seen({ status: '' })] }, /is without a task/],
  ['a process elsewhere', { cgroups: { 'web-1': [101] } }, /has no process 100 in its cgroup/],
  ['no engine', { engines: [] }, /0 engines run/],
  ['two engines', { engines: [11, 13] }, /2 engines run/],
]
for (const [what, part, words] of downs)
  test(`down: ${what}`, (t) => {
    t.true(
      told(part).some((line) => line.startsWith('wanted-up') && words.test(line)),
      told(part).join(' | '),
    )
  })

test('down: the edge itself, and a page that is not the wanted one', (t) => {
  t.deepEqual(told({}, { edgeRuns: false }), ['wanted-up: the edge does not run'])
  t.deepEqual(told({}, { pages: {} }), ['wanted-up: shop.web-1 answers "nothing", not "hello"'])
})

test('one that crashes on its own may be between two lives, but not without a container', (t) => {
  const crasher: readonly WantedInstance[] = [{ id: 'shop.web-1', containers: [wantedContainer({ crashes: true })] }]
  const about = { wanted: crasher }
  const rest = { ports: [], chains: [] }
  t.deepEqual(told({ ...rest, containers: [seen({ status: 'STOPPED', pid: 0 })] }, about), [])
  t.regex(told({ ...rest, containers: [] }, about)[0] ?? '', /has no container/)
})

const orphans: readonly (readonly [string, Partial<HostReading>, RegExp])[] = [
  ['a container', { containers: [seen(), seen({ id: 'x-1', instance: 'shop.old-1' })] }, /container x-1/],
  ['a process', { processes: [{ pid: 50, startTicks: 1, args: ['runc', 'create'] }] }, /process 50 runc create/],
  ['a cgroup', { cgroups: { 'web-1': [100], 'x-1': [7] } }, /cgroup x-1 with 1 processes/],
  ['an empty cgroup', { cgroups: { 'web-1': [100], 'x-1': [] } }, /cgroup x-1 with 0 processes/],
  [
    'a shim',
    {
      shims: [
        { pid: 12, id: 'web-1' },
        { pid: 14, id: 'x-1' },
      ],
    },
    /shim of x-1/,
  ],
  [
    'a second shim',
    {
      shims: [
        { pid: 12, id: 'web-1' },
        { pid: 14, id: 'web-1' },
      ],
    },
    /a second shim of web-1/,
  ],
  ['a bundle', { bundles: ['web-1', 'x-1'] }, /bundle x-1/],
  ['a snapshot', { snapshots: ['web-1', 'x-1'] }, /snapshot x-1/],
  ['files', { fileDirs: ['web-1', 'x-1'] }, /folder of files x-1/],
  ['a mount', { mounts: ['/r/netns/k2'] }, /mount netns\/k2/],
  ['a mount twice', { mounts: ['/r/netns/k1', '/r/netns/k1'] }, /a second mount netns\/k1/],
  ['a network namespace', { netns: ['k1', 'k2'] }, /network namespace k2/],
  ['a record', { records: ['k1', 'k2'] }, /network record k2/],
  ['an address', { addresses: [{ address: '10.0.0.3', key: 'k2' }] }, /address for k2/],
  [
    'a second address',
    { addresses: ['2', '3'].map((n) => ({ address: `10.0.0.${n}`, key: 'k1' })) },
    /a second address/,
  ],
  ['a port', { ports: [{ key: 'k2', hostPort: 20_001 }] }, /forwarded port for k2/],
  ['a chain', { chains: ['CNI-DN-1', 'CNI-DN-2'] }, /chain CNI-DN-2/],
  ['a rule', { rules: ['a', 'b', 'c', 'd'] }, /4 rules name the bridge/],
  ['a device', { bridgePorts: 2 }, /2 devices on the bridge for 1/],
  ['a lease', { leases: ['l'] }, /lease l/],
]
for (const [what, part, words] of orphans)
  test(`orphaned: ${what}`, (t) => {
    t.true(
      told(part).some((line) => line.startsWith('no-orphans') && words.test(line)),
      told(part).join(' | '),
    )
  })

test('orphaned: the socket of a shim that is gone', (t) => {
  t.deepEqual(told({}, { deadSockets: ['/run/s'] }), ['no-orphans: socket /run/s'])
})

const compare = (after: readonly SeenContainer[], exempt: readonly string[] = [], untouched = [wantedContainer()]) =>
  compareHealthy(reading(), reading({ containers: after }), untouched, new Set(exempt))

test('the same process of the same container is untouched', (t) => {
  t.deepEqual(compare([seen()]), { compared: 1, faults: [] })
})

test('a healthy container that became another process was touched', (t) => {
  for (const after of [
    [seen({ pid: 200 })],
    [seen({ startTicks: 6 })],
    [seen({ id: 'web-2' })],
    [seen({ specHash: 't' })],
    [],
  ])
    t.is(compare(after).faults.length, 1, JSON.stringify(after))
})

test('a container whose shim was killed, that changed, or that crashes, is not compared', (t) => {
  t.is(compare([], ['web-1']).compared, 0)
  t.is(compare([], [], []).compared, 0)
  t.is(compare([], [], [wantedContainer({ crashes: true })]).compared, 0)
})
