import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { runDays } from '../../scenarios/index.ts'
import type { Trial } from '../trial-row.ts'
import { rowsOf, type SoakDay } from './judge-soak.ts'
import { dayMs, soakScenario } from './soak-scenario.ts'

/** Of a day of so long, operators and faults have this part. */
const harmPart = 20 / 24
/** Faults of scenarios last seconds to two minutes; so much longer here. */
const stretch = 20

/** Objects that hold memory of WebAssembly are let go by callbacks after a collection, which the next one completes. */
const collections = 4

/** Collects what is not used; for a process that was not started with --expose-gc. */
const collectGarbage = async (): Promise<void> => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  for (let at = 0; at < collections; at++) {
    gc()
    await new Promise(setImmediate)
  }
}

const heapBytes = async (): Promise<number> => {
  await collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const inKilobytes = (bytes: number) => `${Math.round(bytes / 1000)} KB`

const lineOf = (day: SoakDay, seconds: number): string => {
  const disks = day.disks.map(
    ({ machine, statesBytes, storeBytes, blobsBytes }) =>
      `${machine} ${[statesBytes, storeBytes, blobsBytes].map((bytes) => Math.round(bytes / 1000)).join('+')}`,
  )
  return [
    `day ${day.day}: ${day.moves} moves, ${day.faults} faults, ${day.seals} seals, ${day.events} events in ${seconds.toFixed(1)} s of the processor`,
    `as wanted after ${Math.round(day.convergedMs / 1000)} s, heap ${inKilobytes(day.heapBytes)}`,
    `KB of states+store+blobs: ${disks.join(', ')}`,
  ].join('; ')
}

export interface SoakOptions {
  readonly seed: number
  readonly days: number
  readonly dayMs: number
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** Runs so many days of churn. @param dayMs how long a day is; 24 hours but in tests */
export const runSoak = async (options: SoakOptions) => {
  const days: SoakDay[] = []
  let beforeMicros = process.cpuUsage()
  const result = await runDays(soakScenario(Math.round(options.dayMs * harmPart)), {
    seed: options.seed,
    days: options.days,
    dayMs: options.dayMs,
    stretch,
    isOver: () => options.signal.aborted,
    onDay: async (end) => {
      const { user, system } = process.cpuUsage(beforeMicros)
      const day = { ...end, heapBytes: await heapBytes() }
      days.push(day)
      options.say(lineOf(day, (user + system) / 1e6))
      beforeMicros = process.cpuUsage()
    },
  })
  for (const violation of result.violations) options.say(violation)
  const counts = (of: ReadonlyMap<string, number>) => [...of].map(([name, count]) => `${name} ${count}`).join(', ')
  options.say(`faults: ${counts(result.fired)}; moves: ${counts(result.moves)}`)
  return rowsOf({
    nodes: result.nodes,
    begun: result.days,
    days,
    seen: result.seen,
    violations: result.violations,
  })
}

export const soak: Trial = {
  name: 'soak',
  summary: 'weeks of churn in virtual time: whether heap and disks stay flat; --rounds or --days says how many',
  defaultRounds: 24,
  cannotRun: () => undefined,
  run: ({ rounds, seed, say, signal }) => runSoak({ seed, days: rounds, dayMs, say, signal }),
}
