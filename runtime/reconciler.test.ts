import test, { type ExecutionContext } from 'ava'
import { SkerryError } from '../base/index.ts'
import type { ObservedContainer } from './containers.ts'
import type { DesiredApplication, DesiredImage } from './desired.ts'
import { createScene } from './reconciler-scene.ts'
import { sampleApplication, sampleContainer, sampleInstance } from './sample-desired.ts'

const app = sampleApplication()
const second = sampleApplication({
  version: '2',
  instances: [sampleInstance({ containers: [sampleContainer({ spec: { image: 'web:2' } })] })],
})
const big = sampleApplication({
  application: 'big',
  instances: [sampleInstance({ id: 'big.shop-1', containers: [sampleContainer({ spec: { image: 'big:1' } })] })],
})

const runningApp = async (t: ExecutionContext, desired: DesiredApplication = app) => {
  const scene = createScene(t)
  scene.reconciler.setDesired([desired])
  scene.reconciler.start()
  await scene.reconciler.settled()
  return scene
}

const never = (_: DesiredImage, signal: AbortSignal): Promise<string> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))

test('from nothing to running: fetch, attach, start', async (t) => {
  const { host, reconciler, waiting } = await runningApp(t)
  t.deepEqual(host.calls, ['import web:1', 'attach web.shop-1', 'start web.shop-1/web'])
  const status = reconciler.status()
  t.like(status.engine, { state: 'up' })
  t.like(status.applications[0]?.instances[0], { id: 'web.shop-1', ready: true })
  t.deepEqual(waiting(), [])
})

test('a crash is answered at once and alone, and counted', async (t) => {
  const two = sampleApplication({
    instances: [sampleInstance({ containers: [sampleContainer({ name: 'a' }), sampleContainer({ name: 'b' })] })],
  })
  const { host, running, reconciler, until, clock } = await runningApp(t, two)
  const pidOf = (name: string) => running().find(({ owner }) => owner.container === name)?.pid
  const [a, b] = [pidOf('a'), pidOf('b')]
  host.end(running().find(({ owner }) => owner.container === 'a')!.id, 1, 'exited')
  const beforeMs = clock.monotonicMs()
  await until('both run', () => running().length === 2)
  t.true(clock.monotonicMs() - beforeMs <= 200, 'a hint is enough, nobody waits for the next list')
  t.not(pidOf('a'), a)
  t.is(pidOf('b'), b)
  t.like(reconciler.status().applications[0]?.instances[0]?.containers[0], { currentRestarts: 1, totalRestarts: 1 })
})

test('a crash nobody told of is found by the periodic list', async (t) => {
  const { host, running, until } = await runningApp(t)
  host.setEvents('lost')
  host.end(running()[0]!.id, 1, 'exited')
  await until('it runs again', () => running().length === 1, 10_500)
})

test('a crash loop is named, retried for ever, and leaves others alone', async (t) => {
  const loop = sampleApplication({
    instances: [sampleInstance({ containers: [sampleContainer({ spec: { cmd: ['say no disk then exit 3'] } })] })],
  })
  const scene = createScene(t)
  scene.reconciler.setDesired([loop, big])
  scene.reconciler.start()
  await scene.until('it is a crash loop', () => scene.waiting().includes('web crash-loop'), 120_000)
  const waiting = scene.reconciler.status().applications.find(({ application }) => application === 'web')?.waiting[0]
  t.regex(waiting?.detail ?? '', /^ended with exit 3, \d+ restarts; last line: no disk$/)
  const starts = () => scene.host.calls.filter((call) => call === 'start web.shop-1/web').length
  const before = starts()
  await scene.run(3_600_000)
  const more = starts() - before
  t.true(more >= 11 && more <= 20, `about one try in five minutes, ${more} in an hour`)
  t.is(scene.host.calls.filter((call) => call === 'start big.shop-1/web').length, 1)
})

test('a stuck fetch holds up neither another application nor a restart in its own', async (t) => {
  const { host, parent, reconciler, running, until } = await runningApp(t)
  parent.fetch = (image, signal) => (image.name === 'web:2' ? never(image, signal) : Promise.resolve(image.archive))
  const grown = sampleApplication({
    instances: [
      sampleInstance(),
      sampleInstance({ id: 'web.new-1', service: 'new', containers: [sampleContainer({ spec: { image: 'web:2' } })] }),
    ],
  })
  reconciler.setDesired([grown, big])
  await until('the other application runs', () => running().length === 2)
  host.end(running().find(({ owner }) => owner.instance === 'web.shop-1')!.id, 1, 'exited')
  await until('the crashed one runs again', () => running().length === 2)
  t.like(reconciler.status().applications[1]?.waiting[0], { reason: 'fetching-image', detail: 'web:2' })
})

test('an upgrade stops the old one only when the new image is here', async (t) => {
  const { host, parent, reconciler, running, until, waiting } = await runningApp(t)
  const pid = running()[0]?.pid
  parent.fetch = async () => {
    throw new SkerryError('parent-unreachable', 'the parent does not answer')
  }
  reconciler.setDesired([second])
  await until('it waits for the image', () => waiting().includes('web image-not-here'))
  t.is(running()[0]?.pid, pid)
  parent.fetch = async ({ archive }) => archive
  reconciler.retryFetches()
  await until('the new one runs', () => running()[0]?.imageDigest === 'sha256:web:2')
  t.deepEqual(host.calls.slice(3), ['import web:2', 'remove web.shop-1/web', 'start web.shop-1/web'])
})

test('the newest wanted state wins over a fetch of an older one', async (t) => {
  const { parent, reconciler, running, until, fetches } = await runningApp(t)
  let aborted = false
  parent.fetch = (image, signal) => {
    signal.addEventListener('abort', () => {
      aborted = true
    })
    return never(image, signal)
  }
  const pid = running()[0]?.pid
  reconciler.setDesired([second])
  await until('the fetch began', () => fetches.includes('web:2'))
  reconciler.setDesired([app])
  await until('the fetch was given up', () => aborted)
  await reconciler.settled()
  t.is(running()[0]?.pid, pid)
})

test('a new version with the same containers touches nothing', async (t) => {
  const { host, reconciler } = await runningApp(t)
  const before = host.calls.length
  reconciler.setDesired([{ ...app, version: '7', revision: 'revision-7' }])
  await reconciler.refresh()
  await reconciler.settled()
  t.is(host.calls.length, before)
})

test('absent never means stop; retired does, and then nothing is left', async (t) => {
  const { host, reconciler, run, running, until } = await runningApp(t)
  reconciler.setDesired([])
  await run(30_000)
  t.is(running().length, 1)
  reconciler.setDesired([{ ...app, phase: 'retired', instances: [] }])
  await until('it is gone', () => host.calls.at(-1) === 'detach web.shop-1')
  t.is(host.containers().length, 0)
  reconciler.setDesired([])
  await until('it is forgotten', () => reconciler.status().applications.length === 0)
})

test('a container whose end was begun is not ready, although it is wanted again', async (t) => {
  const { host, reconciler, running, until, waiting } = await runningApp(t)
  const first = running()[0]?.id
  const isReady = () => reconciler.status().applications[0]?.instances[0]?.ready
  t.true(isReady())
  reconciler.setDesired([{ ...app, phase: 'retired', instances: [] }])
  reconciler.setDesired([app])
  t.is(running()[0]?.id, first, 'it runs still')
  t.false(isReady())
  t.deepEqual(waiting(), ['web stopping-old'])
  await until('another one is ready', () => isReady() === true)
  t.not(running()[0]?.id, first)
  t.is(host.containers().length, 1)
})

test('a lost engine means unknown, not dead: nothing is touched when it comes back', async (t) => {
  const { host, reconciler, running, run, until, waiting } = await runningApp(t)
  const before = host.calls.length
  host.setEngine('down')
  await until('the loss is seen', () => reconciler.status().engine.state === 'unavailable')
  t.deepEqual(waiting(), ['web engine-unavailable'])
  t.is(reconciler.status().applications[0]?.instances[0]?.containers[0]?.state, 'running', 'the last list is shown')
  await run(60_000)
  t.true((reconciler.status().observedAgeMs ?? 0) >= 60_000)
  host.setEngine('up')
  await until('it is up', () => reconciler.status().engine.state === 'up', 15_000)
  await reconciler.settled()
  t.is(host.calls.length, before)
  t.is(running().length, 1)
})

test('after a power cut everything runs again from local disk, on the same host ports', async (t) => {
  const served = sampleApplication({ instances: [sampleInstance({ ingress: [{ protocol: 'tcp', port: 80 }] })] })
  const { host, parent, reconciler, running, until } = await runningApp(t, served)
  const portsOf = () => reconciler.status().applications[0]?.instances[0]?.ports
  const ports = portsOf()
  parent.fetch = async () => {
    throw new SkerryError('parent-unreachable', 'the parent is away')
  }
  host.powerCut()
  await until('it runs again', () => running().length === 1)
  t.deepEqual(portsOf(), ports)
  t.is(ports?.[0]?.hostPort, 20_000)
})

test('a new reconciler finds what runs and leaves it, and knows its restarts', async (t) => {
  const first = await runningApp(t)
  first.host.end(first.running()[0]!.id, 1, 'exited')
  await first.until('it runs again', () => first.running().length === 1)
  await first.reconciler.settled()
  await first.reconciler.stop()
  const pid = first.running()[0]?.pid
  const next = first.build(JSON.parse(JSON.stringify(first.reconciler.histories())))
  t.teardown(() => next.stop())
  next.setDesired([app])
  next.start()
  await next.settled()
  t.is(first.running()[0]?.pid, pid)
  t.is(next.status().applications[0]?.instances[0]?.containers[0]?.totalRestarts, 1)
})

test('what a driver refuses is said under its own reason and tried again later', async (t) => {
  const { host, reconciler, running, until, waiting } = createScene(t)
  host.failStarts(() => 'needs-containerd')
  reconciler.setDesired([app])
  reconciler.start()
  await until('it is refused', () => waiting().includes('web needs-containerd'))
  host.failStarts()
  await until('it runs', () => running().length === 1, 5_000)
})

test('a host port somebody else holds is left for another', async (t) => {
  const served = sampleApplication({ instances: [sampleInstance({ ingress: [{ protocol: 'tcp', port: 80 }] })] })
  const { host, reconciler, running, until, waiting } = createScene(t)
  host.setForeignPort(20_000, 'taken')
  reconciler.setDesired([served])
  reconciler.start()
  await until('the port is taken', () => waiting().includes('web port-taken'))
  await until('it runs', () => running().length === 1, 5_000)
  t.is(reconciler.status().applications[0]?.instances[0]?.ports[0]?.hostPort, 20_001)
})

test('an image of another digest than the pinned one is refused', async (t) => {
  const { host, reconciler, until, waiting } = createScene(t)
  host.addArchive('tar-web:1', [{ name: 'web:1', digest: 'sha256:else', sizeBytes: 1, runsAsProcess: true }])
  reconciler.setDesired([app])
  reconciler.start()
  await until('it is refused', () => waiting().includes('web image-refused'))
  t.is(host.containers().length, 0)
})

test('two applications that want one image fetch it once', async (t) => {
  const other = sampleApplication({ application: 'other', instances: [sampleInstance({ id: 'other.shop-1' })] })
  const { fetches, reconciler, running } = createScene(t)
  reconciler.setDesired([app, other])
  reconciler.start()
  await reconciler.settled()
  t.is(running().length, 2)
  t.deepEqual(fetches, ['web:1'])
})

test('two networks attached at the same time get two ports at the first try', async (t) => {
  const ingress = [{ protocol: 'tcp' as const, port: 80 }]
  const one = sampleApplication({ instances: [sampleInstance({ ingress })] })
  const two = sampleApplication({ application: 'other', instances: [sampleInstance({ id: 'other.shop-1', ingress })] })
  const { host, reconciler, running, until, waiting } = createScene(t)
  host.setLatency(50)
  const seen = new Set<string>()
  reconciler.onChange(() => {
    for (const reason of waiting()) seen.add(reason)
  })
  reconciler.setDesired([one, two])
  reconciler.start()
  await until('both run', () => running().length === 2)
  t.deepEqual(
    [...seen].filter((reason) => reason.endsWith('port-taken')),
    [],
  )
  const ports = reconciler.status().applications.map(({ instances }) => instances[0]?.ports[0]?.hostPort)
  t.deepEqual(ports, [20_000, 20_001])
})

test('a start that waits its turn is done as it is wanted by then', async (t) => {
  const manyOf = (version: string, count: number) =>
    sampleApplication({
      version,
      instances: Array.from({ length: count }, (_, n) => sampleInstance({ id: `web.shop-${n + 1}` })),
    })
  const { host, reconciler, running, run, until } = createScene(t)
  host.setLatency(100)
  reconciler.setDesired([manyOf('1', 9)])
  reconciler.start()
  await until('the first run', () => running().length > 0)
  const early = running().length
  t.true(early <= 4, `${early} at once, at most 4`)
  reconciler.setDesired([manyOf('2', 6)])
  await run(30_000)
  t.is(running().length, 6)
  t.is(running().find(({ owner }) => owner.instance === 'web.shop-6')?.owner.version, '2')
  t.false(host.calls.includes('start web.shop-9/web'))
})

test('slow calls and lists that cross them change nothing about the outcome', async (t) => {
  const many = sampleApplication({
    instances: [1, 2, 3, 4, 5, 6].map((n) => sampleInstance({ id: `web.shop-${n}` })),
  })
  const { host, reconciler, running, run, until } = createScene(t)
  host.setLatency(70)
  reconciler.setDesired([many])
  reconciler.start()
  await until('all run', () => running().length === 6)
  await run(30_000)
  t.is(host.calls.filter((call) => call.startsWith('start')).length, 6)
  t.is(host.calls.filter((call) => call.startsWith('remove')).length, 0)
})

const probe = {
  check: { kind: 'http' as const, port: 80, path: '/' },
  initialDelayMs: 0,
  periodMs: 1_000,
  timeoutMs: 500,
  failureThreshold: 3,
  successThreshold: 1,
}

test('readiness decides about ready, and a failing one restarts nothing', async (t) => {
  const probed = sampleApplication({
    instances: [sampleInstance({ containers: [sampleContainer({ probes: { readiness: probe } })] })],
  })
  const { probes, reconciler, run, running, until, waiting } = await runningApp(t, probed)
  const isReady = () => reconciler.status().applications[0]?.instances[0]?.ready === true
  t.false(isReady())
  await until('it is ready', isReady)
  const pid = running()[0]?.pid
  probes.up = false
  await until('it is not ready', () => !isReady())
  t.deepEqual(waiting(), ['web probe-failing'])
  await run(60_000)
  t.is(running()[0]?.pid, pid)
})

test('a failed liveness probe restarts the container, as often as the backoff lets it', async (t) => {
  const probed = sampleApplication({
    instances: [sampleInstance({ containers: [sampleContainer({ probes: { liveness: probe } })] })],
  })
  const { probes, reconciler, running, until } = await runningApp(t, probed)
  const first: ObservedContainer | undefined = running()[0]
  probes.up = false
  await until('it was restarted', () => running().length === 1 && running()[0]?.id !== first?.id, 10_000)
  probes.up = true
  await until('it is well', () => reconciler.status().applications[0]?.instances[0]?.ready === true)
  t.is(reconciler.status().applications[0]?.instances[0]?.containers[0]?.totalRestarts, 1)
})

test('a full disk is said as such', async (t) => {
  const { host, reconciler, until, waiting, running } = createScene(t)
  host.setDisk('full')
  reconciler.setDesired([app])
  reconciler.start()
  await until('the disk is full', () => waiting().includes('web disk-full'))
  host.setDisk('free')
  await until('it runs', () => running().length === 1, 35_000)
})
