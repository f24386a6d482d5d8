import test from 'ava'
import { createManualClock } from '../base/index.ts'
import type { ContainersErrorCode } from './containers.ts'
import { ContainersError } from './containers-error.ts'
import type { ProbeSpec } from './desired.ts'
import { createProber } from './prober.ts'
import { createSimulatedHost } from './simulated/index.ts'

const turns = async () => {
  for (let n = 0; n < 10; n++) await new Promise((resolve) => setImmediate(resolve))
}

const liveness: ProbeSpec = {
  check: { kind: 'exec', args: ['check'] },
  initialDelayMs: 0,
  periodMs: 1_000,
  timeoutMs: 100,
  failureThreshold: 2,
  successThreshold: 1,
}
const subject = { id: 'one', tenant: 'acme', instance: 'web.shop-1', probes: { liveness } }

const createScene = (exec: () => Promise<number>) => {
  const clock = createManualClock()
  const unhealthy: string[] = []
  let asked = 0
  const prober = createProber({
    clock,
    containers: {
      ...createSimulatedHost({ clock }).connect(),
      exec: async () => {
        asked += 1
        return { exitCode: await exec(), stdout: new Uint8Array(), stderr: new Uint8Array(), truncated: false }
      },
    },
    runner: { http: async () => ({ ok: true, detail: '' }), tcp: async () => ({ ok: true, detail: '' }) },
    onChange: (_, detail) => {
      if (detail !== undefined) unhealthy.push(detail)
    },
  })
  const run = async (seconds: number) => {
    for (let n = 0; n < seconds; n++) {
      clock.advance(1_000)
      await turns()
    }
  }
  return { prober, run, unhealthy, asked: () => asked }
}

test('a check that ends with another code than 0 fails, and enough of them make unhealthy once', async (t) => {
  const { prober, run, unhealthy } = createScene(async () => 1)
  prober.follow([subject])
  await run(5)
  t.deepEqual(unhealthy, ['liveness probe exec check: exit 1'])
})

for (const code of ['not-running', 'engine-unavailable'] as const)
  test(`${code} says nothing about the health of a container`, async (t) => {
    const { prober, run, unhealthy, asked } = createScene(async () => {
      throw new ContainersError(code satisfies ContainersErrorCode, 'no')
    })
    prober.follow([subject])
    await run(5)
    t.deepEqual(unhealthy, [])
    t.true(asked() >= 4, 'it keeps asking')
    t.is(prober.statesOf('one')?.liveness?.status, 'pending')
  })

test('a check that takes too long or cannot run fails', async (t) => {
  const { prober, run, unhealthy } = createScene(async () => {
    throw new ContainersError('timeout', 'it took too long')
  })
  prober.follow([subject])
  await run(3)
  t.deepEqual(unhealthy, ['liveness probe exec check: it took too long'])
})

test('who is not followed any more is not asked any more; changed probes begin anew', async (t) => {
  const { prober, run, asked } = createScene(async () => 0)
  prober.follow([subject])
  await run(2)
  t.is(prober.statesOf('one')?.liveness?.status, 'success')
  prober.follow([{ ...subject, probes: { liveness: { ...liveness, periodMs: 2_000 } } }])
  t.is(prober.statesOf('one')?.liveness?.status, 'pending')
  prober.follow([])
  const before = asked()
  await run(5)
  t.is(asked(), before)
})
