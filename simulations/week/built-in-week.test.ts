import test from 'ava'
import fc from 'fast-check'
import { nodesOf, parseTopology, sites, type Topology, zones } from '../../topologies/index.ts'
import { builtInWeek } from './built-in-week.ts'

const day = 20 * 60_000

interface Shape {
  readonly privacy: boolean
  readonly gates: number
  readonly sites: readonly number[]
  readonly zones: readonly Shape[]
}

const shape = (depth: number): fc.Arbitrary<Shape> =>
  fc.record({
    privacy: fc.boolean(),
    gates: fc.integer({ min: 1, max: 2 }),
    sites: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
    zones: depth === 0 ? fc.constant([]) : fc.array(shape(depth - 1), { maxLength: 2 }),
  })

/** JSON is YAML too. */
const written = (top: Shape): Topology => {
  let count = 0
  const hosts = (many: number) => Array.from({ length: many }, () => ({ name: `h${count++}` }))
  const inside = (one: Shape): object => ({
    sites: one.sites.map((many) => ({ name: `s${count++}`, hosts: hosts(many) })),
    zones: one.zones.map((zone) => ({
      name: `z${count++}`,
      privacy: zone.privacy,
      aggregators: { hosts: hosts(zone.gates) },
      ...inside(zone),
    })),
  })
  const towers = { site: 'head', hosts: [{ name: 'tower' }] }
  return parseTopology(JSON.stringify({ version: 1, network: 'any', towers, ...inside(top) }), 'any.yaml')
}

test('in any tree every uplink is lost once, and all of it is over within its day', (t) => {
  fc.assert(
    fc.property(shape(2).map(written), (topology) => {
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
