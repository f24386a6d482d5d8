import test, { type ExecutionContext } from 'ava'
import type { Clock } from '../../base/index.ts'
import type { StoreChange } from '../../crdt/index.ts'
import type { MeshLink } from '../../mesh/index.ts'
import type { NodePowers } from '../../node/index.ts'
import { canaryOf } from './canaries.ts'
import { twoAggregators } from './catalogue/two-aggregators.ts'
import { replicasAgree } from './checkers/replicas-agree.ts'
import { sealsExplained } from './checkers/seals-explained.ts'
import { boundedBy } from './checkers/stays-bounded.ts'
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
type Start = NonNullable<NodePowers['containers']>['startContainer']
const withStarts = (
  powers: NodePowers,
  act: (start: Start, ...asked: Parameters<Start>) => ReturnType<Start>,
): NodePowers => {
  const { containers } = powers
  if (!containers) return powers
  return {
    ...powers,
    containers: { ...containers, startContainer: (owner, spec) => act(containers.startContainer, owner, spec) },
  }
}
/** Lanes that are sealed every few changes. */
const sealed = {
  sealLimits: { changes: 3, sizeBytes: 2 ** 18 },
  checkers: [replicasAgree, sealsExplained([])],
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

test('invariant 3: a machine on which a lane does not go on into its next epoch is found', async (t) => {
  const isLater = ({ key }: StoreChange) => /^d\/[0-9a-f]{32}\/[gbe]\/(?!00000001)/.test(key)
  const result = await run(
    at(canaryOf('n1a'), (powers) =>
      withStore(powers, (batch, options) =>
        powers.store.write(
          batch.filter((change) => !isLater(change)),
          options,
        ),
      ),
    ),
    sealed,
  )
  catches(
    t,
    result,
    /invariant 3: q7-n1a-7q lacks (epoch 2|\d+ of \d+ changes of epoch 2).* of (intent|member)\/\.north/,
  )
})

test('invariant 6: a change that a seal left outside and that is not kept is found', async (t) => {
  const result = await run(
    (_machine, powers) =>
      withStore(powers, (batch, options) =>
        powers.store.write(
          batch.filter(({ key }) => !/^d\/[0-9a-f]{32}\/l\//.test(key)),
          options,
        ),
      ),
    { ...sealed, faults: ['seals-twice', 'signs-twice', 'seals-under-proof'] },
  )
  catches(t, result, /invariant 6: \S+ keeps epoch \d+ of intent\S+ and neither holds change \w+ nor lists it as late/)
})

test('invariant 3: an aggregator that tells the other one of its zone nothing of its hosts is found', async (t) => {
  const mute = (link: MeshLink): MeshLink => {
    const open = link.openStream.bind(link)
    const openStream: typeof open = (purpose, options) =>
      purpose === 'reports' ? new Promise(() => {}) : open(purpose, options)
    return Object.assign(link, { openStream })
  }
  const doctor = at('west-1', (powers) => ({
    ...powers,
    openMesh: (identity) => {
      const mesh = powers.openMesh(identity)
      const own = { start: () => mesh.start(), stop: () => mesh.stop() }
      const dial: typeof mesh.dial = async (address, options) => {
        const link = await mesh.dial(address, options)
        return address === 'west-2' ? mute(link) : link
      }
      return { ...mesh, ...own, dial, onLink: (hear) => mesh.onLink((link) => hear(mute(link))) }
    },
  }))
  catches(
    t,
    await runScenario(twoAggregators, { seed: 1, doctor }),
    /invariant 3: west-2 shows .* as unknown: never heard of/,
  )
})

test('a run in which no lane is sealed, or nothing is left outside a seal, proves nothing of it and fails', async (t) => {
  const result = await run(undefined, { ...sealed, harmMs: 30_000, checkers: [sealsExplained(['late', 'proof'])] })
  catches(t, result, /^the checker of invariant 6 never saw its subject/)
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

test('invariant 5: a container of an application that a host was never told of is found', async (t) => {
  const result = await run(
    at(canaryOf('n1a'), (powers) =>
      withStarts(powers, (start, owner, spec) => start({ ...owner, application: 'ghost' }, spec)),
    ),
  )
  catches(t, result, /^invariant 5: q7-n1a-7q started \S+; what it accepted does not have ghost/)
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

test('invariant 7: a host that starts an older version than it had is found', async (t) => {
  const versions: string[] = []
  const result = await run(
    at(canaryOf('n2a'), (powers) =>
      withStarts(powers, (start, owner, spec) => {
        const { VERSION: version } = spec.env
        if (version === undefined) return start(owner, spec)
        versions.push(version)
        // Once it ran the third, the first comes back.
        return start(owner, { ...spec, env: { ...spec.env, VERSION: versions.length > 2 ? '1' : version } })
      }),
    ),
    { workload: ['deploy', 'upgrade'], harmMs: 60_000 },
  )
  catches(t, result, /^invariant 7: q7-n2a-7q started shop.main-1\/web as version 1, which nobody asked for since/)
})

test('invariant 7: a host whose record of what it accepted goes back is found', async (t) => {
  interface Choices {
    readonly accepted: Readonly<Record<string, { readonly order: number; readonly id: string }>>
  }
  const result = await run(
    at(canaryOf('n1b'), (powers) => ({
      ...powers,
      stateFile: <Value>(name: string) => {
        const file = powers.stateFile<Value>(name)
        if (name !== 'choices') return file
        const forget = (value: Choices) => ({
          ...value,
          accepted: Object.fromEntries(
            Object.entries(value.accepted).map(([key, one]) => [key, { ...one, order: one.order > 1 ? 0 : one.order }]),
          ),
        })
        return { load: () => file.load(), save: (value: Value) => file.save(forget(value as Choices) as Value) }
      },
    })),
    { workload: ['deploy', 'upgrade'] },
  )
  catches(t, result, /^invariant 7: q7-n1b-7q accepted order 0 of a signer after order 1/)
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

test('invariant 9: a record larger than any may be is found on a disk', async (t) => {
  const result = await run(
    at('north', (powers) => {
      const write = powers.store.write
      return withStore(powers, async (batch, options) => {
        const junk: StoreChange = { kind: 'put', key: 'r/verdict/00', value: new Uint8Array(100_000) }
        await write(batch.some(isEnvelope) ? [...batch, junk] : batch, options)
      })
    }),
  )
  catches(t, result, /^invariant 9: north keeps a record of 100000 bytes; at most \d+/)
})

test('invariant 9: a disk with more waiting changes of one author than may be is found', async (t) => {
  const lanes = new Set<string>()
  const result = await run(
    at(canaryOf('a1a'), (powers) =>
      withStore(powers, async (batch, options) => {
        // Under the id of another lane the first change of each is missing, and so is what all others stand on.
        const elsewhere = batch.filter(isEnvelope).flatMap((change): readonly StoreChange[] => {
          const lane = change.key.slice(0, 34)
          const isFirst = !lanes.has(lane)
          lanes.add(lane)
          if (isFirst) return []
          return [{ ...change, key: change.key.replace(/^d\/[0-9a-f]{32}/, `d/${'0'.repeat(32)}`) }]
        })
        await powers.store.write([...batch, ...elsewhere], options)
      }),
    ),
    { checkers: [boundedBy({ authorCount: 2, authorBytes: 1_000_000 })] },
  )
  catches(t, result, /^invariant 9: q7-a1a-7q keeps 3 changes of \w+ that wait for others/)
})

test('invariant 10: a key in a log, and one on a wire, are found', async (t) => {
  const seedOf = (powers: NodePowers) => powers.stateFile<{ readonly seed: string }>('key').load()?.seed ?? ''
  const said = await run(
    at(canaryOf('n1a'), (powers) => {
      every(powers.clock, 5_000, () => powers.log.info('who am I', { seed: seedOf(powers) }))
      return powers
    }),
  )
  catches(t, said, /^invariant 10: a key in state\/key of q7-n1a-7q was said in its log/)
  const sent = await run(
    at(canaryOf('n2a'), (powers) => ({
      ...powers,
      openMesh: (identity) => {
        const mesh = powers.openMesh(identity)
        const gossip = async (...asked: Parameters<typeof mesh.dial>) => {
          const link = await mesh.dial(...asked)
          const stream = await link.openStream('gossip', { priority: 'bulk' })
          await stream.send(Buffer.concat([Buffer.from('key '), Buffer.from(seedOf(powers), 'hex')])).catch(() => {})
          return link
        }
        return { ...mesh, start: () => mesh.start(), stop: () => mesh.stop(), dial: gossip }
      },
    })),
  )
  catches(t, sent, /^invariant 10: a key in state\/key of q7-n2a-7q was sent to north/)
})

test('invariant 10: a token to join with in a log, and one on a disk, are found', async (t) => {
  const said = await run(
    at(canaryOf('n1a'), (powers) => {
      powers.log.info('joining', { with: powers.joinTokens()[0] })
      return powers
    }),
  )
  catches(t, said, /^invariant 10: a token for q7-n1a-7q was said in the log of q7-n1a-7q/)
  const kept = await run(
    at(canaryOf('n1a'), (powers) => {
      powers.stateFile('joined').save({ with: powers.joinTokens()[0] })
      return powers
    }),
  )
  catches(t, kept, /^invariant 10: a token for q7-n1a-7q was written to state\/joined of q7-n1a-7q/)
})

test('a run in which a fault it names never happened, or a checker saw nothing, proves nothing and fails', async (t) => {
  const result = await run(undefined, { faults: ['container-ends'], workload: [], harmMs: 30_000 })
  catches(t, result, /^the fault container-ends never happened/)
  catches(t, result, /^the checker of invariant 4 never saw its subject/)
})
