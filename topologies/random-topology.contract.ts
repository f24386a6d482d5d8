import fc from 'fast-check'
import { parseTopology, type Topology } from './index.ts'
import { levelsOf, policyKinds, resolvePolicy } from './policy.ts'

/** Topologies of which every name, label, host-id and address is a token of its own, found again in any text. */

const token = /x\d{4}/g

/** The tokens in a value or text, each once. */
export const namesIn = (value: unknown): readonly string[] => [
  ...new Set((typeof value === 'string' ? value : JSON.stringify(value)).match(token) ?? []),
]

interface Shape {
  readonly privacy: boolean
  readonly policy: Readonly<Record<string, string>>
  readonly settle: string
  readonly hosts: number
  readonly sites: number
  readonly zones: readonly Shape[]
}

const written = fc
  .tuple(...policyKinds.map((kind) => fc.option(fc.constantFrom(...levelsOf(kind)), { nil: undefined, freq: 1 })))
  .map((levels) => Object.fromEntries(policyKinds.flatMap((kind, at) => (levels[at] ? [[kind, levels[at]]] : []))))

const shape = (depth: number): fc.Arbitrary<Shape> =>
  fc
    .record({
      privacy: fc.boolean(),
      policy: fc.oneof(fc.constant({}), written),
      settle: fc.constantFrom('zone', 'ancestor'),
      hosts: fc.integer({ min: 1, max: 2 }),
      sites: fc.nat(2),
      zones: depth === 0 ? fc.constant([]) : fc.array(shape(depth - 1), { maxLength: 2 }),
    })
    .filter(({ privacy, policy }) => resolvePolicy(policy, privacy).clashes.length === 0)

const topologyOf = (shapes: readonly Shape[], sites: number): Topology => {
  let count = 0
  const next = () => `x${String(count++).padStart(4, '0')}`
  const labels = () => ({ [`${next()}.example/${next()}`]: next() })
  const host = () => ({ name: next(), 'host-id': next(), labels: labels() })
  const many = <Item>(length: number, make: () => Item) => Array.from({ length }, make)
  const site = () => ({ name: next(), labels: labels(), siblings: [`${next()}.example:1`], hosts: many(2, host) })
  const zone = ({ privacy, policy, settle, hosts, sites: inside, zones }: Shape): object => ({
    name: next(),
    privacy,
    policy,
    settle,
    labels: labels(),
    aggregators: { addresses: [`${next()}.example:1`], hosts: many(hosts, host) },
    zones: zones.map(zone),
    sites: many(inside, site),
  })
  const towers = { site: next(), labels: labels(), addresses: [`${next()}.example:1`], hosts: many(1, host) }
  const draft = { version: 1, network: 'canaries', towers, zones: shapes.map(zone), sites: many(sites, site) }
  return parseTopology(JSON.stringify(draft), 'canaries.yaml')
}

export const canaryTopology: fc.Arbitrary<Topology> = fc
  .tuple(fc.array(shape(2), { minLength: 1, maxLength: 2 }), fc.nat(1))
  .map(([shapes, sites]) => topologyOf(shapes, sites))
