import test from 'ava'
import type { ObservedHost } from './containers.ts'
import type { DesiredApplication } from './desired.ts'
import { alignHistory, emptyHistory, eventsOf, type History, recordEvent } from './history.ts'
import { lintPlan } from './lint-plan.ts'
import { type PlanInput, plan } from './plan.ts'
import { defaultPolicy } from './policy.ts'
import { hostRunning, sampleApplication, sampleContainer, sampleInstance, sampleNetwork } from './sample-desired.ts'
import { describe } from './step.ts'

const nothing: ObservedHost = { containers: [], networks: [], images: [] }

const inputOf = (desired: DesiredApplication, observed: ObservedHost | undefined, part: Partial<PlanInput> = {}) => ({
  desired,
  observed,
  history: alignHistory(emptyHistory, desired),
  nowMs: 0,
  policy: defaultPolicy,
  ...part,
})

const linesOf = (desired: DesiredApplication, observed: ObservedHost | undefined, part: Partial<PlanInput> = {}) =>
  plan(inputOf(desired, observed, part)).steps.map(describe)

const reasonsOf = (desired: DesiredApplication, observed: ObservedHost | undefined, part: Partial<PlanInput> = {}) =>
  plan(inputOf(desired, observed, part)).waiting.map(({ reason }) => reason)

const app = sampleApplication()
const changed = sampleApplication({
  version: '2',
  instances: [sampleInstance({ containers: [sampleContainer({ spec: { image: 'web:2' } })] })],
})
const exited = (code: number, reason: 'exited' | 'killed' | 'oom' = 'exited') =>
  hostRunning(app, (one) => ({ ...one, state: 'exited', exitCode: code, exitReason: reason, pid: 0 }))

/** The history after the one container ended `times` times in a row, each time at `atMs`. */
const afterEnds = (times: number, atMs: number, exit: { code: number; reason: 'exited' | 'oom' }): History => {
  let history = alignHistory(emptyHistory, app)
  for (let n = 1; n <= times; n++) {
    const id = n === times ? 'id-web.shop-1-web' : `old-${n}`
    history = recordEvent(history, { kind: 'started', at: 'web.shop-1/web', id, nowMs: atMs })
    history = recordEvent(history, { kind: 'ended', at: 'web.shop-1/web', id, exit, nowMs: atMs })
  }
  return history
}

test('an empty host fetches the image first', (t) => {
  t.deepEqual(linesOf(app, nothing), ['fetch image web:1'])
  t.deepEqual(reasonsOf(app, nothing), ['fetching-image'])
})

test('with the image here the network is attached, then the container starts', (t) => {
  const { images, networks } = hostRunning(app)
  t.deepEqual(linesOf(app, { ...nothing, images }), ['attach network web.shop-1'])
  t.deepEqual(linesOf(app, { ...nothing, images, networks }), ['start web.shop-1/web'])
})

test('what runs unchanged is left alone, also under a new version and revision', (t) => {
  const renamed = { ...app, version: '9', revision: 'revision-9' }
  t.deepEqual(linesOf(renamed, hostRunning(app)), [])
  t.deepEqual(reasonsOf(renamed, hostRunning(app)), [])
})

test('a changed container runs on until its new image is here', (t) => {
  t.deepEqual(linesOf(changed, hostRunning(app)), ['fetch image web:2'])
  const host = hostRunning(app)
  const both = { ...host, images: [...host.images, ...hostRunning(changed).images] }
  t.deepEqual(linesOf(changed, both), ['remove web.shop-1/web: changed'])
  t.deepEqual(linesOf(changed, { ...both, containers: [] }), ['start web.shop-1/web'])
})

test('an image of the right name and another digest is not the image', (t) => {
  const host = hostRunning(app)
  const images = host.images.map((image) => ({ ...image, digest: 'sha256:other' }))
  t.deepEqual(linesOf(app, { ...host, containers: [], images }), ['fetch image web:1'])
  t.deepEqual(linesOf(app, { ...host, images }), [], 'a healthy container asks for nothing')
})

test('only the changed container of an instance is replaced', (t) => {
  const two = (change: string) =>
    sampleApplication({
      instances: [
        sampleInstance({ containers: [sampleContainer({ name: 'a' }), sampleContainer({ name: 'b', change })] }),
      ],
    })
  t.deepEqual(linesOf(two('new'), hostRunning(two('old'))), ['remove web.shop-1/b: changed'])
})

test('a changed network makes the whole instance anew', (t) => {
  const wider = sampleApplication({ instances: [sampleInstance({ ingress: [{ protocol: 'tcp', port: 80 }] })] })
  const host = hostRunning(app)
  t.deepEqual(linesOf(wider, host), ['remove web.shop-1/web: its network changed'])
  t.deepEqual(linesOf(wider, { ...host, containers: [] }), ['detach network web.shop-1: its network changed'])
  t.deepEqual(linesOf(wider, { ...host, containers: [], networks: [] }), [
    'attach network web.shop-1 (host port 20000)',
  ])
})

test('instances no longer wanted go, container first, network next', (t) => {
  const two = sampleApplication({ instances: [sampleInstance(), sampleInstance({ id: 'web.shop-2' })] })
  const host = hostRunning(two)
  t.deepEqual(linesOf(app, host), ['remove web.shop-2/web: no longer wanted'])
  const stopped = { ...host, containers: host.containers.filter(({ owner }) => owner.instance === 'web.shop-1') }
  t.deepEqual(linesOf(app, stopped), ['detach network web.shop-2: no longer wanted'])
})

test('a retired application loses everything, and nothing of anyone else', (t) => {
  const other = sampleApplication({ application: 'webby', instances: [sampleInstance({ id: 'webby.shop-1' })] })
  const [mine, theirs] = [hostRunning(app), hostRunning(other)]
  const host: ObservedHost = {
    containers: [...mine.containers, ...theirs.containers],
    networks: [...mine.networks, ...theirs.networks],
    images: mine.images,
  }
  t.deepEqual(linesOf({ ...app, phase: 'retired', instances: [] }, host), ['remove web.shop-1/web: retired'])
  t.deepEqual(linesOf({ ...app, phase: 'retired' }, { ...host, containers: theirs.containers }), [
    'detach network web.shop-1: retired',
  ])
})

test('a crash restarts at once the first time, then backs off by doubling up to the cap', (t) => {
  t.deepEqual(linesOf(app, exited(1), { history: afterEnds(1, 0, { code: 1, reason: 'exited' }) }), [
    'remove web.shop-1/web: crashed (exit 1)',
  ])
  const pauses = [2, 3, 4, 10, 40].map((times) => {
    const next = plan(inputOf(app, exited(1), { history: afterEnds(times, 0, { code: 1, reason: 'exited' }) }))
    t.deepEqual(next.steps, [])
    return next.nextWakeMs
  })
  t.deepEqual(pauses, [1_000, 2_000, 4_000, 256_000, 300_000])
})

test('a crash loop is named with its last exit and last line, and still retried', (t) => {
  let history = afterEnds(6, 0, { code: 3, reason: 'exited' })
  history = recordEvent(history, { kind: 'last-line', at: 'web.shop-1/web', id: 'id-web.shop-1-web', text: 'no disk' })
  const [waiting] = plan(inputOf(app, exited(3), { history })).waiting
  t.is(waiting?.reason, 'crash-loop')
  t.is(waiting?.detail, 'ended with exit 3, 5 restarts; last line: no disk')
  t.is(waiting?.retryInMs, 16_000)
  t.deepEqual(linesOf(app, exited(3), { history, nowMs: 16_000 }), ['remove web.shop-1/web: crashed (exit 3)'])
})

test('out of memory is told apart from a crash', (t) => {
  const history = afterEnds(2, 0, { code: 137, reason: 'oom' })
  t.deepEqual(reasonsOf(app, exited(137, 'oom'), { history }), ['out-of-memory'])
  t.deepEqual(linesOf(app, exited(137, 'oom'), { history, nowMs: 1_000 }), [
    'remove web.shop-1/web: out of memory (exit 137)',
  ])
  t.deepEqual(linesOf(app, exited(137, 'killed'), { history, nowMs: 1_000 }), [
    'remove web.shop-1/web: killed (exit 137)',
  ])
})

test('ten stable minutes and a changed specification both clear the count', (t) => {
  const before = afterEnds(6, 0, { code: 1, reason: 'exited' })
  const restarted = recordEvent(before, { kind: 'started', at: 'web.shop-1/web', id: 'new', nowMs: 20_000 })
  t.is(restarted.containers['web.shop-1/web']?.currentRestarts, 6)
  const host = hostRunning(app, (one) => ({ ...one, id: 'new' }))
  t.deepEqual(eventsOf(restarted, host, app, 619_999), [])
  const events = eventsOf(restarted, host, app, 620_000)
  t.deepEqual(events, [{ kind: 'stable', at: 'web.shop-1/web' }])
  const stable = recordEvent(restarted, events[0]!)
  t.is(stable.containers['web.shop-1/web']?.currentRestarts, 0)
  t.is(stable.containers['web.shop-1/web']?.totalRestarts, 6)
  const aligned = alignHistory(before, changed).containers['web.shop-1/web']
  t.like(aligned, { currentRestarts: 0, ends: 0, retryAtMs: 0, totalRestarts: 5 })
})

test('a failed start backs off under its own reason; a new specification is tried at once', (t) => {
  const { images, networks } = hostRunning(app)
  const host = { ...nothing, images: [...images, ...hostRunning(changed).images], networks }
  const key = `start web.shop-1/web ${app.instances[0]!.containers[0]!.specHash}`
  const fail = (code: string) =>
    recordEvent(alignHistory(emptyHistory, app), { kind: 'step-failed', key, code, detail: 'no such file', nowMs: 0 })
  const waiting = plan(inputOf(app, host, { history: fail('start-failed'), nowMs: 400 })).waiting[0]
  t.like(waiting, { reason: 'start-failed', detail: 'no such file', forMs: 400, retryInMs: 600 })
  t.deepEqual(linesOf(app, host, { history: fail('start-failed'), nowMs: 1_000 }), ['start web.shop-1/web'])
  t.deepEqual(reasonsOf(app, host, { history: fail('needs-containerd') }), ['needs-containerd'])
  const history = alignHistory(fail('start-failed'), changed)
  t.deepEqual(linesOf(changed, host, { history }), ['start web.shop-1/web'])
})

test('a container that failed its liveness probe is removed, and only that one', (t) => {
  const history = recordEvent(alignHistory(emptyHistory, app), {
    kind: 'unhealthy',
    at: 'web.shop-1/web',
    id: 'id-web.shop-1-web',
    detail: 'http 80 /: status 503',
    nowMs: 0,
  })
  t.deepEqual(linesOf(app, hostRunning(app), { history }), [
    'remove web.shop-1/web: not healthy: http 80 /: status 503',
  ])
  const other = hostRunning(app, (one) => ({ ...one, id: 'younger' }))
  t.deepEqual(linesOf(app, other, { history }), [])
})

test('a container that never started is removed', (t) => {
  const host = hostRunning(app, (one) => ({ ...one, state: 'created', pid: 0 }))
  t.deepEqual(linesOf(app, host), ['remove web.shop-1/web: never started'])
})

test('of several with one owner the current running one stays', (t) => {
  const host = hostRunning(app)
  const [keep] = host.containers
  const old = { ...keep!, id: 'a-old', owner: { ...keep!.owner, specHash: 'old' } }
  const dead = { ...keep!, id: 'b-dead', state: 'exited' as const }
  t.deepEqual(
    plan(inputOf(app, { ...host, containers: [dead, keep!, old] })).steps.map((step) => 'id' in step && step.id),
    ['a-old', 'b-dead'],
  )
})

test('without an answer of the engine nothing is done', (t) => {
  t.deepEqual(linesOf(app, undefined), [])
  t.deepEqual(reasonsOf(app, undefined), ['engine-unavailable'])
  const unknown = hostRunning(app, (one) => ({ ...one, state: 'unknown' }))
  t.deepEqual(linesOf(app, unknown), [])
  t.deepEqual(reasonsOf(app, unknown), ['engine-unavailable'])
})

const ingress = [{ protocol: 'tcp' as const, port: 80 }]
const served = sampleApplication({ instances: [sampleInstance({ ingress })] })
const lost = sampleNetwork(served, served.instances[0]!, {
  state: 'lost',
  ports: [{ protocol: 'tcp', containerPort: 80, hostPort: 20_007 }],
})

test('after a power cut the dead go and the network comes back with the same host ports', (t) => {
  const host = hostRunning(served, (one) => ({ ...one, state: 'exited', pid: 0 }))
  t.deepEqual(linesOf(served, { ...host, networks: [lost] }), ['remove web.shop-1/web: its network is gone'])
  t.deepEqual(linesOf(served, { ...host, networks: [lost], containers: [] }), [
    'attach network web.shop-1 (host port 20007)',
  ])
})

test('host ports: the same number inside the range, else the lowest free, else none', (t) => {
  const { images } = hostRunning(served)
  const taken = (hostPort: number) =>
    sampleNetwork(served, sampleInstance({ id: 'other.x-1' }), {
      ports: [{ protocol: 'tcp', containerPort: 80, hostPort }],
    })
  const inRange = sampleApplication({
    instances: [sampleInstance({ ingress: [{ protocol: 'tcp', port: 20_500 }] })],
  })
  t.deepEqual(linesOf(inRange, { ...nothing, images }), ['attach network web.shop-1 (host port 20500)'])
  t.deepEqual(linesOf(served, { ...nothing, images, networks: [taken(20_000)] }), [
    'attach network web.shop-1 (host port 20001)',
  ])
  const policy = { ...defaultPolicy, portRange: [20_000, 20_000] as const }
  t.deepEqual(reasonsOf(served, { ...nothing, images, networks: [taken(20_000)] }, { policy }), ['no-free-port'])
})

test('a port somebody else listens on is avoided at the next try', (t) => {
  const { images } = hostRunning(served)
  const [step] = plan(inputOf(served, { ...nothing, images })).steps
  t.is(step?.kind, 'attach-network')
  const history = recordEvent(alignHistory(emptyHistory, served), {
    kind: 'step-failed',
    key: `attach web.shop-1 ${served.instances[0]!.networkHash}`,
    code: 'port-taken',
    detail: 'port 20000 is in use',
    badPorts: ['tcp/20000'],
    nowMs: 0,
  })
  t.deepEqual(reasonsOf(served, { ...nothing, images }, { history }), ['port-taken'])
  t.deepEqual(linesOf(served, { ...nothing, images }, { history, nowMs: 1_000 }), [
    'attach network web.shop-1 (host port 20001)',
  ])
})

test('a network being attached elsewhere holds its port', (t) => {
  const { images } = hostRunning(served)
  const attaching = [
    {
      instance: 'other.x-1',
      tenant: 'acme',
      networkHash: 'n',
      ports: [{ protocol: 'tcp' as const, containerPort: 80, hostPort: 20_000 }],
    },
  ]
  t.deepEqual(linesOf(served, { ...nothing, images }, { attaching }), ['attach network web.shop-1 (host port 20001)'])
})

test('the linter names a step that breaks an invariant', (t) => {
  const host = hostRunning(app)
  const [container] = host.containers
  const input = inputOf(app, host)
  const remove = {
    kind: 'remove-container' as const,
    id: container!.id,
    owner: container!.owner,
    shutdownTimeoutMs: 0,
    reason: 'why not',
  }
  const detach = {
    kind: 'detach-network' as const,
    tenant: 'acme',
    instance: 'web.shop-1',
    networkHash: '',
    reason: 'why not',
  }
  const start = {
    kind: 'start-container' as const,
    owner: container!.owner,
    spec: app.instances[0]!.containers[0]!.spec,
  }
  t.deepEqual(lintPlan({ steps: [remove], waiting: [] }, input), [
    'remove web.shop-1/web: why not: it is healthy and did not change',
  ])
  t.deepEqual(lintPlan({ steps: [detach], waiting: [] }, input), [
    'detach network web.shop-1: why not: containers still live in it',
  ])
  t.deepEqual(lintPlan({ steps: [start], waiting: [] }, input), [
    'start web.shop-1/web: one with the same owner exists',
  ])
  t.deepEqual(lintPlan({ steps: [remove], waiting: [] }, inputOf(app, undefined)), [
    'remove web.shop-1/web: why not: nothing may be done while the engine does not answer',
  ])
  t.deepEqual(lintPlan({ steps: [], waiting: [] }, input), [])
})
