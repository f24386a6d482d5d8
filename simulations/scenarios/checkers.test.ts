import test, { type ExecutionContext } from 'ava'
import type { Clock } from '../../base/index.ts'
import type { StoreChange } from '../../crdt/index.ts'
import type { NodePowers } from '../../node/index.ts'
import { canaryOf } from './canaries.ts'
import { runScenario } from './run-scenario.ts'
import type { RunResult, Scenario } from './scenario.ts'
import { smallScenario } from './small-scene.contract.ts'

type Doctor = (machine: string, powers: NodePowers) => NodePowers

/** Breaks one machine. */
const at =
  (broken: string, change: (powers: NodePowers) => NodePowers): Doctor =>
  (machine, powers) =>
    machine === broken ? change(powers) : powers

const run = (doctor: Doctor | undefined, more: Partial<Scenario> = {}, seed = 7): Promise<RunResult> =>
  runScenario({ ...smallScenario, ...more }, { seed, ...(doctor && { doctor }) })

const catches = (t: ExecutionContext, { violations }: RunResult, pattern: RegExp) =>
  t.true(
    violations.some((text) => pattern.test(text)),
    `${pattern} in:\n${violations.join('\n') || 'no violation'}`,
  )

/** Calls `act` every so often for as long as the process runs. */
const every = (clock: Clock, ms: number, act: () => void): void => {
  clock.setTimer(ms, () => {
    act()
    every(clock, ms, act)
  })
}

const withStore = (powers: NodePowers, write: NodePowers['store']['write']): NodePowers => {
  const { store } = powers
  const own = { open: () => store.open(), close: () => store.close(), get: store.get, scan: store.scan, write }
  return { ...powers, store: own }
}
const isEnvelope = ({ key }: StoreChange) => /^d\/[0-9a-f]{32}\/e\//.test(key)

test('a world in which nothing is broken has no violation, and every checker saw its subject', async (t) => {
  const result = await run(undefined)
  t.deepEqual(result.violations, [])
  for (const invariant of smallScenario.invariants) t.true((result.seen[invariant] ?? 0) > 0, `invariant ${invariant}`)
})

test('invariant 1: a name of another site on a disk is found', async (t) => {
  const result = await run(
    at(canaryOf('n2a'), (powers) => {
      powers.stateFile('leak').save({ heard: canaryOf('n1a') })
      return powers
    }),
  )
  catches(t, result, /^invariant 1: q7-n1a-7q was written to state\/leak of q7-n2a-7q/)
})

test('invariant 1: a name of another site on a wire is found, also where two frames share it', async (t) => {
  const result = await run(
    at(canaryOf('n2a'), (powers) => ({
      ...powers,
      openMesh: (identity) => {
        const mesh = powers.openMesh(identity)
        const gossip = async (...asked: Parameters<typeof mesh.dial>) => {
          const link = await mesh.dial(...asked)
          const stream = await link.openStream('gossip', { priority: 'bulk' })
          // The mark begins four bytes before the end of the first frame.
          await stream.send(Buffer.from(`${'x'.repeat(64 * 1024 - 4)}${canaryOf('n1')}`)).catch(() => {})
          return link
        }
        return { ...mesh, start: () => mesh.start(), stop: () => mesh.stop(), dial: gossip }
      },
    })),
  )
  catches(t, result, /^invariant 1: q7-n1-7q passed from q7-n2a-7q to north/)
})

test('invariant 1: a name of another site in a log is found', async (t) => {
  const result = await run(
    at(canaryOf('n2a'), (powers) => {
      powers.log.info('heard of a host', { host: canaryOf('n1b') })
      return powers
    }),
  )
  catches(t, result, /^invariant 1: q7-n1b-7q was said in the log of q7-n2a-7q/)
})

test('invariant 1: the lane of another site in a store is found', async (t) => {
  const stolen: StoreChange[] = []
  const result = await run((machine, powers) =>
    withStore(powers, async (batch, options) => {
      await powers.store.write(batch, options)
      if (machine === canaryOf('n1a')) stolen.push(...batch)
      else if (machine === canaryOf('n2a')) await powers.store.write(stolen.splice(0), options)
    }),
  )
  catches(
    t,
    result,
    /^invariant 1: a \w+ of (intent|member)\/\.north\.q7-n1-7q\S* was written to the store of q7-n2a-7q/,
  )
})

test('invariant 2: a change on disk whose author may not write its lane is found', async (t) => {
  const result = await run(
    at(canaryOf('n1a'), (powers) =>
      withStore(powers, async (batch, options) => {
        const forged = batch.filter(isEnvelope).flatMap((change): StoreChange[] => {
          if (change.kind === 'delete') return []
          // The author's key id begins at byte 53 of an envelope.
          const value = change.value.map((byte, offset) => (offset === 53 ? byte ^ 1 : byte))
          return [{ ...change, key: `${change.key.slice(0, -64)}${'0'.repeat(64)}`, value }]
        })
        await powers.store.write([...batch, ...forged], options)
      }),
    ),
  )
  catches(t, result, /^invariant 2: q7-n1a-7q keeps change 000000000000 of .*whose author .* may not write it/)
})

test('invariant 3: a store that loses what it was given is found', async (t) => {
  const result = await run(
    at(canaryOf('n1b'), (powers) =>
      withStore(powers, async (batch, options) => {
        const isLate = powers.clock.monotonicMs() > 0 && batch.some(isEnvelope)
        await powers.store.write(isLate ? batch.filter((change) => !isEnvelope(change)) : batch, options)
      }),
    ),
  )
  catches(t, result, /^not as wanted .*\n +invariant 3: q7-n1b-7q lacks \d+ of \d+ changes of /)
})

test('invariant 4: an engine that is told to remove a healthy container for no reason is found', async (t) => {
  const result = await run(
    at(canaryOf('n1a'), (powers) => {
      const { containers, clock } = powers
      if (containers)
        every(clock, 1_000, () => {
          void containers.observe().then(async ({ containers: [one] }) => {
            if (one) await containers.removeContainer(one.id, { shutdownTimeoutMs: 0 })
          })
        })
      return powers
    }),
  )
  catches(t, result, /^invariant 4: q7-n1a-7q removed \S+, healthy and wanted as it was/)
})

test('invariant 6: a tower whose disk loses what was acknowledged is found', async (t) => {
  let startedMs: number | undefined
  const result = await run(
    at('tower', (powers) => {
      startedMs ??= powers.clock.monotonicMs()
      const sinceMs = () => powers.clock.monotonicMs() - (startedMs ?? 0)
      return withStore(powers, async (batch, options) => {
        if (sinceMs() < 40_000) await powers.store.write(batch, options)
      })
    }),
    { faults: ['kill-tower'], faultEveryMs: [75_000, 76_000] },
    4,
  )
  catches(t, result, /^invariant 6: \S+ is \S+ at the tower; what was acknowledged says /)
})

test('invariant 8: a node that writes again and again with nothing to do is found', async (t) => {
  const result = await run(
    at('north', (powers) => {
      let times = 0
      every(powers.clock, 30_000, () => powers.stateFile('restless').save(times++))
      return powers
    }),
  )
  catches(t, result, /^invariant 8: at \S+ s north wrote state\/restless/)
})

test('a run in which a fault it names never happened, or a checker saw nothing, proves nothing and fails', async (t) => {
  const result = await run(undefined, { faults: ['container-ends'], workload: [], harmMs: 30_000 })
  catches(t, result, /^the fault container-ends never happened/)
  catches(t, result, /^the checker of invariant 4 never saw its subject/)
})
