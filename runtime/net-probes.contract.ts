import type { ExecutionContext, TestFn } from 'ava'
import type { ProbeRunner } from './prober.ts'

interface Address {
  readonly host: string
  readonly port: number
}

/** Somebody to ask, and who asks. */
export interface ProbeScene {
  readonly runner: ProbeRunner
  /** Answers well. */
  readonly healthy: Address
  /** Lets connect, and answers nothing. */
  readonly hanging: Address
  /** Nobody listens there. */
  readonly refusing: Address
}

/** What every network for probes does alike. */
export const probesContract = (
  test: TestFn,
  name: string,
  open: (t: ExecutionContext) => Promise<ProbeScene>,
): void => {
  test(`${name}: who answers well is healthy`, async (t) => {
    const { runner, healthy } = await open(t)
    t.like(await runner.http({ ...healthy, path: '/', timeoutMs: 5_000 }), { ok: true })
    t.deepEqual(await runner.tcp({ ...healthy, timeoutMs: 5_000 }), { ok: true, detail: 'connected' })
  })

  test(`${name}: an answer that does not come is a failure after the timeout, though it can be connected to`, async (t) => {
    const { runner, hanging } = await open(t)
    t.deepEqual(await runner.http({ ...hanging, path: '/', timeoutMs: 100 }), {
      ok: false,
      detail: 'no answer within 100 ms',
    })
    t.like(await runner.tcp({ ...hanging, timeoutMs: 5_000 }), { ok: true })
  })

  test(`${name}: where nobody listens both fail, and say so`, async (t) => {
    const { runner, refusing } = await open(t)
    const answers = [
      await runner.http({ ...refusing, path: '/', timeoutMs: 5_000 }),
      await runner.tcp({ ...refusing, timeoutMs: 5_000 }),
    ]
    for (const { ok, detail } of answers) {
      t.false(ok)
      t.regex(detail, /ECONNREFUSED/)
    }
  })
}
