import test from 'ava'
import fc from 'fast-check'
import type { ObservedContainer, ObservedHost } from './containers.ts'
import type { DesiredApplication } from './desired.ts'
import { applyEffect, type Effect } from './effects.ts'
import { alignHistory, emptyHistory, eventsOf, type History, recordEvent, recordWaiting } from './history.ts'
import { lintPlan } from './lint-plan.ts'
import { type Plan, type PlanInput, plan } from './plan.ts'
import { defaultPolicy } from './policy.ts'
import { sampleApplication, sampleContainer, sampleInstance } from './sample-desired.ts'
import { describe, failureKeyOf, type Step } from './step.ts'

const policy = { ...defaultPolicy, portRange: [20_000, 20_063] as const }

/** A wanted state drawn small, so that one drawn after another shares much with it. */
const desiredArbitrary: fc.Arbitrary<DesiredApplication> = fc
  .record({
    phase: fc.constantFrom('run', 'run', 'run', 'run', 'retired'),
    version: fc.constantFrom('1', '2'),
    instances: fc.uniqueArray(
      fc.record({
        n: fc.integer({ min: 1, max: 3 }),
        ports: fc.uniqueArray(fc.constantFrom(80, 443, 20_005), { maxLength: 2 }),
        containers: fc.uniqueArray(
          fc.record({
            name: fc.constantFrom('a', 'b', 'c'),
            image: fc.constantFrom('web:1', 'web:2'),
            change: fc.constantFrom('', 'x'),
          }),
          { selector: ({ name }) => name, minLength: 1, maxLength: 3 },
        ),
      }),
      { selector: ({ n }) => n, maxLength: 3 },
    ),
  })
  .map(({ phase, version, instances }) =>
    sampleApplication({
      phase: phase as DesiredApplication['phase'],
      version,
      revision: `revision-${version}`,
      instances: instances.map(({ n, ports, containers }) =>
        sampleInstance({
          id: `web.shop-${n}`,
          ingress: ports.map((port) => ({ protocol: 'tcp', port })),
          networkHash: `net-${ports.join('-')}`,
          containers: containers.map(({ name, image, change }) => sampleContainer({ name, change, spec: { image } })),
        }),
      ),
    }),
  )

/** What can happen to a host between two plans. `pick` chooses a victim. */
type Mishap =
  | {
      readonly kind: 'crash' | 'oom' | 'vanish' | 'create' | 'duplicate' | 'unhealthy' | 'fail-step'
      readonly pick: number
    }
  | { readonly kind: 'lose-network' | 'drop-image'; readonly pick: number }
  | { readonly kind: 'wait'; readonly pick: number }
  | { readonly kind: 'want'; readonly desired: DesiredApplication }

const mishapArbitrary: fc.Arbitrary<Mishap> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('crash', 'oom', 'vanish', 'create', 'duplicate', 'unhealthy', 'fail-step'),
    pick: fc.nat(20),
  }),
  fc.record({ kind: fc.constantFrom('lose-network', 'drop-image', 'wait'), pick: fc.nat(20) }),
  fc.record({ kind: fc.constant('want'), desired: desiredArbitrary }),
) as fc.Arbitrary<Mishap>

interface World {
  desired: DesiredApplication
  observed: ObservedHost
  history: History
  nowMs: number
  made: number
}

const inputOf = ({ desired, observed, history, nowMs }: World): PlanInput => ({
  desired,
  observed,
  history,
  nowMs,
  policy,
})

const effectOf = (world: World, step: Step): Effect => {
  switch (step.kind) {
    case 'fetch-image': {
      const { name, digest } = step.image
      return { kind: 'images', images: [{ name, digest, sizeBytes: 1, runsAsProcess: true }] }
    }
    case 'attach-network':
      return { kind: 'network', network: { ...step.network, state: 'attached', addresses: [] } }
    case 'detach-network':
      return { kind: 'no-network', tenant: step.tenant, instance: step.instance }
    case 'remove-container':
      return { kind: 'no-container', id: step.id }
    case 'start-container': {
      world.made += 1
      const id = `made-${world.made}`
      const imageDigest = step.imageDigest ?? ''
      return { kind: 'container', container: { id, owner: step.owner, state: 'running', imageDigest, pid: world.made } }
    }
  }
}

const obey = (world: World, step: Step): void => {
  const effect = effectOf(world, step)
  world.observed = applyEffect(world.observed, effect)
  const at = 'owner' in step ? `${step.owner.instance}/${step.owner.container}` : ''
  const { nowMs } = world
  const tell = (event: Parameters<typeof recordEvent>[1]) => {
    world.history = recordEvent(world.history, event, policy)
  }
  tell({ kind: 'step-done', key: failureKeyOf(step) })
  if (effect.kind === 'container') tell({ kind: 'started', at, id: effect.container.id, nowMs })
  if (effect.kind === 'no-container') tell({ kind: 'removed', at, id: effect.id })
}

const takeIn = (world: World): void => {
  world.history = alignHistory(world.history, world.desired)
  for (const event of eventsOf(world.history, world.observed, world.desired, world.nowMs, policy))
    world.history = recordEvent(world.history, event, policy)
}

const changeOne = (
  world: World,
  pick: number,
  change: (one: ObservedContainer) => readonly ObservedContainer[],
): void => {
  const { containers } = world.observed
  if (containers.length === 0) return
  const at = pick % containers.length
  world.observed = { ...world.observed, containers: containers.flatMap((one, n) => (n === at ? change(one) : [one])) }
}

const befall = (world: World, mishap: Mishap): void => {
  switch (mishap.kind) {
    case 'want':
      world.desired = mishap.desired
      return
    case 'wait':
      world.nowMs += mishap.pick * 60_000
      return
    case 'crash':
    case 'oom':
      changeOne(world, mishap.pick, (one) => [
        { ...one, state: 'exited', pid: 0, exitCode: 137, exitReason: mishap.kind === 'oom' ? 'oom' : 'killed' },
      ])
      return
    case 'vanish':
      changeOne(world, mishap.pick, () => [])
      return
    case 'create':
      changeOne(world, mishap.pick, (one) => [{ ...one, state: 'created', pid: 0 }])
      return
    case 'duplicate':
      world.made += 1
      changeOne(world, mishap.pick, (one) => [one, { ...one, id: `twin-${world.made}` }])
      return
    case 'unhealthy':
      changeOne(world, mishap.pick, (one) => {
        const at = `${one.owner.instance}/${one.owner.container}`
        if (one.state === 'running' && world.history.containers[at]?.specHash === one.owner.specHash)
          world.history = recordEvent(world.history, {
            kind: 'unhealthy',
            at,
            id: one.id,
            detail: 'ill',
            nowMs: world.nowMs,
          })
        return [one]
      })
      return
    case 'fail-step': {
      const { steps } = plan(inputOf(world))
      const step = steps[mishap.pick % Math.max(1, steps.length)]
      if (!step) return
      const event = {
        kind: 'step-failed',
        key: failureKeyOf(step),
        code: 'start-failed',
        detail: 'no',
        nowMs: world.nowMs,
      } as const
      world.history = recordEvent(world.history, event, policy)
      return
    }
    case 'lose-network': {
      const networks = world.observed.networks.map((one, n) =>
        n === mishap.pick % world.observed.networks.length ? { ...one, state: 'lost' as const } : one,
      )
      world.observed = { ...world.observed, networks }
      return
    }
    case 'drop-image':
      world.observed = { ...world.observed, images: world.observed.images.slice(0, mishap.pick % 2) }
  }
}

/** Said once more, apart from planner and linter: invariant 4. */
const harms = (world: World, step: Step): boolean => {
  if (step.kind !== 'remove-container' || world.desired.phase === 'retired') return false
  const held = world.observed.containers.find(({ id }) => id === step.id)
  const instance = world.desired.instances.find(({ id }) => id === step.owner.instance)
  const wanted = instance?.containers.find(({ name }) => name === step.owner.container)
  const network = world.observed.networks.find(({ instance: id }) => id === step.owner.instance)
  const twins = world.observed.containers.filter(
    ({ owner }) => owner.instance === step.owner.instance && owner.container === step.owner.container,
  )
  const isIll = world.history.containers[`${step.owner.instance}/${step.owner.container}`]?.unhealthy?.id === step.id
  return (
    held?.state === 'running' &&
    wanted?.specHash === held.owner.specHash &&
    network?.state === 'attached' &&
    network.networkHash === instance?.networkHash &&
    twins.length === 1 &&
    !isIll
  )
}

const startWorld = (desired: DesiredApplication): World => ({
  desired,
  observed: { containers: [], networks: [], images: [] },
  history: emptyHistory,
  nowMs: 0,
  made: 0,
})

const decide = (world: World): Plan => {
  takeIn(world)
  const next = plan(inputOf(world))
  world.history = recordWaiting(world.history, next.waiting, world.nowMs)
  return next
}

/** Plans and obeys until nothing is left to do or to wait for. @returns rounds it took, undefined when too many */
const converge = (world: World, rounds: number): number | undefined => {
  for (let round = 0; round < rounds; round++) {
    const next = decide(world)
    if (next.steps.length === 0 && next.waiting.length === 0) return round
    for (const step of next.steps) obey(world, step)
    if (next.steps.length === 0 && next.nextWakeMs !== undefined) world.nowMs = next.nextWakeMs
  }
  return undefined
}

const life = fc.array(mishapArbitrary, { maxLength: 25 })

test('safe: no plan breaks an invariant, whatever befalls the host', (t) => {
  fc.assert(
    fc.property(desiredArbitrary, life, (desired, mishaps) => {
      const world = startWorld(desired)
      for (const mishap of mishaps) {
        const next = decide(world)
        const broken = lintPlan(next, inputOf(world))
        if (broken.length > 0) throw new Error(broken.join('\n'))
        for (const step of next.steps) if (harms(world, step)) throw new Error(`${describe(step)} harms`)
        for (const step of next.steps) obey(world, step)
        befall(world, mishap)
      }
    }),
    { numRuns: 400 },
  )
  t.pass()
})

/** Detach, attach, start, remove, fetch, each perhaps after a failure and its pause: far below this. */
const maxRounds = 40

test('live: planning and obeying comes to rest, and then everything wanted runs', (t) => {
  fc.assert(
    fc.property(desiredArbitrary, life, (desired, mishaps) => {
      const world = startWorld(desired)
      for (const mishap of mishaps) {
        for (const step of decide(world).steps) obey(world, step)
        befall(world, mishap)
      }
      if (converge(world, maxRounds) === undefined)
        throw new Error(`no rest: ${JSON.stringify(plan(inputOf(world)), null, 1)}`)
      const running = world.observed.containers.map(
        ({ owner, state }) => `${owner.instance}/${owner.container} ${owner.specHash} ${state}`,
      )
      const wanted = world.desired.phase === 'retired' ? [] : world.desired.instances
      const expected = wanted.flatMap(({ id, containers }) =>
        containers.map(({ name, specHash }) => `${id}/${name} ${specHash} running`),
      )
      if (running.toSorted().join() !== expected.toSorted().join())
        throw new Error(`runs ${running.join()}, wanted ${expected.join()}`)
      if (world.observed.networks.length !== wanted.length) throw new Error('a network is left over or missing')
      const ports = world.observed.networks.flatMap(({ ports: all }) => all.map(({ hostPort }) => hostPort))
      if (new Set(ports).size !== ports.length) throw new Error(`host ports given twice: ${ports.join()}`)
    }),
    { numRuns: 400 },
  )
  t.pass()
})

test('stable: the same input gives the same plan, in whatever order lists come', (t) => {
  fc.assert(
    fc.property(desiredArbitrary, life, (desired, mishaps) => {
      const world = startWorld(desired)
      for (const mishap of mishaps) {
        for (const step of decide(world).steps) obey(world, step)
        befall(world, mishap)
      }
      takeIn(world)
      const straight = plan(inputOf(world))
      const { containers, networks, images } = world.observed
      const turned: World = {
        ...world,
        desired: {
          ...world.desired,
          instances: world.desired.instances.toReversed(),
          images: world.desired.images.toReversed(),
        },
        observed: { containers: containers.toReversed(), networks: networks.toReversed(), images: images.toReversed() },
      }
      const other = plan(inputOf(turned))
      if (JSON.stringify(straight) !== JSON.stringify(other))
        throw new Error(`${JSON.stringify(straight)}\nbecame\n${JSON.stringify(other)}`)
    }),
    { numRuns: 300 },
  )
  t.pass()
})
