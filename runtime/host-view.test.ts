import test from 'ava'
import { createManualClock, silentLog } from '../base/index.ts'
import type { ObservedHost } from './containers.ts'
import { applyEffect } from './effects.ts'
import { createHostView } from './host-view.ts'
import { defaultPolicy } from './policy.ts'
import { hostRunning, sampleApplication } from './sample-desired.ts'
import { createSimulatedHost } from './simulated/index.ts'

const turns = async () => {
  for (let n = 0; n < 10; n++) await new Promise((resolve) => setImmediate(resolve))
}
const host = hostRunning(sampleApplication())
const [container] = host.containers
const empty: ObservedHost = { containers: [], networks: [], images: [] }

/** A view whose lists end when told to, with what they read when they began. */
const createScene = () => {
  const clock = createManualClock()
  const told: number[] = []
  const lists: ((seen: ObservedHost) => void)[] = []
  const containers = {
    ...createSimulatedHost({ clock }).connect(),
    observe: () => new Promise<ObservedHost>((resolve) => lists.push(resolve)),
  }
  const view = createHostView({
    containers,
    clock,
    log: silentLog,
    policy: defaultPolicy,
    onList: () => void told.push(clock.bootNowMs()),
  })
  return { clock, lists, told, view }
}

test('what a step did while a list was under way is not undone by that list', async (t) => {
  const { lists, view } = createScene()
  view.start()
  await turns()
  view.apply({ kind: 'container', container: container! })
  view.apply({ kind: 'no-container', id: 'old' })
  lists[0]!({ ...empty, containers: [{ ...container!, id: 'old' }] })
  await turns()
  t.deepEqual(
    view.current()?.containers.map(({ id }) => id),
    [container!.id],
  )
})

test('who asks for a list during a list gets one that began later', async (t) => {
  const { lists, view } = createScene()
  view.start()
  await turns()
  const asked = view.refresh()
  lists[0]!(empty)
  await turns()
  t.is(lists.length, 2)
  lists[1]!(host)
  await asked
  t.is(view.current()?.containers.length, 1)
})

test('hints come as they like, lists at most every tenth of a second', async (t) => {
  const { clock, lists, view } = createScene()
  view.start()
  await turns()
  lists[0]!(empty)
  await turns()
  for (let n = 0; n < 50; n++) view.hint()
  await turns()
  t.is(lists.length, 1)
  clock.advance(100)
  await turns()
  t.is(lists.length, 2)
})

test('a list that never ends counts as no answer', async (t) => {
  const { clock, lists, view } = createScene()
  view.start()
  await turns()
  lists[0]!(host)
  await turns()
  t.is(view.engine().state, 'up')
  clock.advance(defaultPolicy.relistMs)
  await turns()
  t.is(lists.length, 2)
  clock.advance(defaultPolicy.observeTimeoutMs)
  await turns()
  t.is(view.engine().state, 'unavailable')
  t.is(view.current(), undefined)
  t.is(view.last()?.host.containers.length, 1)
})

test('a start that a list saw half done is whole once it is done; an end the list saw stays', (t) => {
  const effect = { kind: 'container', container: container! } as const
  const created = { ...host, containers: [{ ...container!, state: 'created' as const, pid: 0 }] }
  t.deepEqual(applyEffect(created, effect).containers, [container!])
  const exited = { ...host, containers: [{ ...container!, state: 'exited' as const, pid: 0 }] }
  t.deepEqual(applyEffect(exited, effect), exited)
})

test('a list that says what the last one said is told of once a minute, and its age is young all the same', async (t) => {
  const { clock, lists, told, view } = createScene()
  view.start()
  await turns()
  for (let n = 0; n < 10; n++) {
    lists[n]!(structuredClone(host))
    await turns()
    t.is(clock.bootNowMs() - view.last()!.atMs, 0)
    clock.advance(defaultPolicy.relistMs)
    await turns()
  }
  t.is(lists.length, 11)
  t.deepEqual(told, [0, defaultPolicy.retellMs])
})

test('a list is told of where it says something new, was asked for, or came after a step or late', async (t) => {
  const { clock, lists, told, view } = createScene()
  view.start()
  await turns()
  const next = async (seen: ObservedHost, before: () => void, passMs: number) => {
    lists.at(-1)!(seen)
    await turns()
    before()
    clock.advance(passMs)
    await turns()
    return told.length
  }
  const { relistMs } = defaultPolicy
  t.is(await next(host, () => {}, relistMs), 1)
  t.is(await next(empty, () => {}, relistMs), 2, 'another list')
  t.is(await next(empty, () => {}, relistMs), 2, 'the same')
  t.is(await next(empty, () => view.hint(), defaultPolicy.hintGapMs), 2)
  t.is(await next(empty, () => view.apply({ kind: 'container', container: container! }), relistMs), 3, 'after a hint')
  t.is(await next(host, () => {}, relistMs), 4, 'after a step')
  t.is(await next(host, () => void view.refresh(), 0), 4)
  t.is(await next(host, () => {}, relistMs), 5, 'it was asked for')
  clock.advance(relistMs)
  t.is(await next(host, () => {}, relistMs), 6, 'it was late')
})
