import test from 'ava'
import fc from 'fast-check'
import { nodesOf, sites, zones } from '../../topologies/index.ts'
import { canaryTopology } from '../../topologies/random-topology.contract.ts'
import { builtInWeek } from './built-in-week.ts'

const day = 20 * 60_000

test('in any tree every uplink is lost once, and all of it is over within its day', (t) => {
  fc.assert(
    fc.property(canaryTopology, (topology) => {
      const { steps, days, lastsMs } = builtInWeek(topology)
      const cutOn = (number: number) =>
        steps.flatMap((step) =>
          step.kind === 'cut' && Math.floor(step.atMs / day) === number - 1 ? [step.target.name] : [],
        )
      const inner = zones(topology).flatMap(({ path }) => (path === '/' ? [] : [path as string]))
      const edges = sites(topology).flatMap(({ name, type }) => (type === 'edge' ? [name as string] : []))
      t.deepEqual(cutOn(1).toSorted(), inner.toSorted())
      t.deepEqual(cutOn(2).toSorted(), edges.toSorted())
      t.is(days.length * day, lastsMs)
      const known = new Set(nodesOf(topology).map(({ name }) => name as string))
      for (const [at, step] of steps.entries()) {
        t.true(step.atMs >= (steps[at - 1]?.atMs ?? 0), 'steps stand in the order of their time')
        t.true(step.atMs < 6 * day, 'the last day is quiet')
        if (!('untilMs' in step)) continue
        const { untilMs = Number.POSITIVE_INFINITY, target } = step
        t.true(untilMs > step.atMs)
        t.is(Math.floor(step.atMs / day), Math.floor(untilMs / day), `${step.kind} of ${target.name} ends on its day`)
        t.true(target.machines.length > 0 && target.machines.every((name) => known.has(name)))
      }
    }),
    { numRuns: 60 },
  )
})
