import test from 'ava'
import { runScenario } from '../run-scenario.ts'
import type { Scenario } from '../scenario.ts'
import { smallScenario } from '../small-scene.contract.ts'
import { type FaultName, faults } from './index.ts'

const names = Object.keys(faults) as FaultName[]

/** A small world under some faults, each drawn about every few seconds. */
const under = (drawn: readonly FaultName[], harmMs: number): Scenario => ({
  ...smallScenario,
  faults: drawn,
  harmMs,
  faultEveryMs: [1_000, 4_000],
  moveEveryMs: [2_000, 8_000],
  convergeMs: 180_000,
  quietMs: 30_000,
})

const linesOf = async (scenario: Scenario, seed: number) => {
  const lines: string[] = []
  const result = await runScenario(scenario, { seed, trace: (line) => lines.push(line) })
  return { result, lines }
}

test('every fault has the name it goes by, and a time it lasts', (t) => {
  for (const [name, fault] of Object.entries(faults)) {
    t.is(fault.name, name)
    t.true(fault.lastsMs[0] <= fault.lastsMs[1])
  }
})

test('with every fault on, a world comes out as wanted, each fault happened, and the same seed does the same twice', async (t) => {
  // A site that is blocked is linked to nobody, and there is nobody then whom an owner in bad hands could tell two things.
  const all = { ...under(names, names.length * 2_600), workload: ['deploy', 'upgrade', 'rollback', 'remove'] } as const
  const { result, lines } = await linesOf(all, 1)
  t.deepEqual(result.violations, [])
  for (const name of names) t.true((result.fired[name] ?? 0) > 0, name)
  for (const name of names) t.true(lines.some((line) => line.includes(`fault ${name}: `)))
  t.is((await runScenario(all, { seed: 1 })).digest, result.digest)
})

/** Codes of what nodes said they refused. */
const refused = (lines: readonly string[], part: string): ReadonlySet<string> =>
  new Set(lines.flatMap((line) => (line.includes(` warn ${part}: `) ? (/"code":"([^"]+)"/.exec(line)?.[1] ?? []) : [])))

// Each stream of garbage that called itself documents was served and cost two lines: a flood filled the log of the parent.
test('what a hostile edge forges, replays, signs twice, lies in reports and floods is refused for what it is, and does not fill the log', async (t) => {
  const { result, lines } = await linesOf(under(['hostile-edge'], 50_000), 3)
  t.deepEqual(result.violations, [])
  const codes = refused(lines, 'node.replication')
  for (const code of ['bad-signature', 'not-a-writer', 'wrong-document', 'too-often'])
    t.true(codes.has(code), `${code} of ${[...codes].join(' ')}`)
  t.true(refused(lines, 'node.reports').has('bad-signature'))
  const failed = lines.filter((line) => line.includes('documents are kept the same no longer'))
  const linked = lines.filter((line) => line.includes('child linked'))
  t.true(failed.length <= linked.length, `${failed.length} on ${linked.length} links`)
})

test('a poisoned change that an entitled key signed harms no receiver, and is refused in words', async (t) => {
  const codes = new Set<string>()
  for (const seed of [1, 2]) {
    const { result, lines } = await linesOf(under(['poison-change'], 60_000), seed)
    t.deepEqual(result.violations, [])
    for (const code of refused(lines, 'node.replication')) codes.add(code)
  }
  for (const code of ['not-a-change', 'bad-checksum', 'bad-inflate', 'too-many-operations', 'too-many-dependencies'])
    t.true(codes.has(code), `${code} of ${[...codes].join(' ')}`)
})
