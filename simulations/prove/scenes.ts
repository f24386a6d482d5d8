import {
  canaryOf,
  composeScenario,
  places,
  type Scenario,
  siteText,
  topologyText,
  zoneText,
} from '../scenarios/index.ts'

const gate = 'northgate'
const north = zoneText('north', [siteText('n1', ['n1a'], 'gold'), siteText('n2', ['n2a'], 'iron')])
const topology = topologyText(
  'proof',
  [siteText('a1', ['a1a'], 'iron')],
  [
    // Names of aggregators are nobody's business either, but of those around them.
    north.replace('hosts: [{ name: north }]', `hosts: [{ name: ${canaryOf(gate)} }]`),
    zoneText('east', [siteText('e1', ['e1a'], 'gold')], { privacy: true }),
  ],
)
/** The aggregator of an open zone. */
export const northGate: string = canaryOf(gate)
/** Its sites: one that gets the application for gold sites, and one that must not hear its name. */
export const [goldEdge, ironEdge]: readonly [string, string] = [canaryOf('n1a'), canaryOf('n2a')]

export const goldScope = `/north/${canaryOf('n1')}`

type Times = Partial<Pick<Scenario, 'harmMs' | 'faultEveryMs' | 'moveEveryMs' | 'settleMs' | 'quietMs'>>

/**
 * Seven nodes for some minutes: a tower with a site, an open zone with a gold and an iron site, a zone that keeps its names.
 */
const compose = (
  name: string,
  faults: Scenario['faults'],
  times: Times = {},
  invariants?: readonly number[],
): Scenario => {
  const scenario = composeScenario({
    name: `proof-${name}`,
    summary: faults.length === 0 ? 'seven nodes, nothing goes wrong by itself' : `seven nodes and ${faults.join(', ')}`,
    topology,
    faults,
    workload: ['deploy', 'upgrade', 'rollback', 'remove'],
    ...(invariants && { invariants }),
    times: { harmMs: 50_000, moveEveryMs: [3_000, 8_000], convergeMs: 60_000, quietMs: 15_000, ...times },
  })
  return {
    ...scenario,
    mark: (canaries) => {
      scenario.mark(canaries)
      canaries.add(gate, ['tower', northGate, goldEdge, ironEdge])
      // Neighbours may know each other's names: what runs there is not for them.
      for (const thing of ['n1', 'n1a', 'n1label']) canaries.add(thing, [ironEdge])
    },
  }
}

/** Nothing goes wrong by itself. */
export const calm: Scenario = compose('calm', [])
/** Things go wrong that have nothing to do with most of what is proven. */
export const noisy: Scenario = compose('noisy', ['cut-link', 'reset-link', 'slow-link', 'container-ends'])
export const fullDisks: Scenario = compose('full-disks', ['disk-full'])
export const lostLinks: Scenario = compose('lost-links', ['reset-link'])
export const killedEdges: Scenario = compose('killed-edges', ['kill-edge'], {
  harmMs: 45_000,
  faultEveryMs: [1_000, 3_000],
  moveEveryMs: [2_000, 5_000],
})
export const powerCuts: Scenario = compose('power-cuts', ['power-tower'])
/** Long enough at rest for a beacon to pass. */
export const rest: Scenario = compose('rest', [], { harmMs: 30_000, quietMs: 11 * 60_000 })

/** Somebody has another's token: that it passes over a wire of theirs is not what is judged. */
export const stolenToken: Scenario = compose('stolen-token', [], {}, [1, 2, 3, 4, 5, 6, 7, 8, 9])
/** So many versions of each deployment that not all are kept. */
export const manyVersions: Scenario = {
  ...compose('many-versions', [], { moveEveryMs: [300, 700] }),
  workload: ['deploy', 'upgrade', 'rollback'],
}

/** An owner of lanes in bad hands, over a site of two hosts. */
const underBadOwner = (name: string, fault: Scenario['faults'][number]): Scenario =>
  composeScenario({
    name: `proof-${name}`,
    summary: `five nodes, and an owner that ${fault.replace('-', ' ')}`,
    topology: places.flat,
    faults: [fault],
    workload: ['deploy', 'upgrade', 'rollback', 'remove'],
    times: { harmMs: 40_000, convergeMs: 60_000, quietMs: 15_000 },
  })
export const falseSeals: Scenario = underBadOwner('false-seals', 'seals-falsely')
export const lateFloods: Scenario = underBadOwner('late-floods', 'floods-late')
export const waitingFloods: Scenario = underBadOwner('waiting-floods', 'floods-waiting')

/** By name on the command line, where a run is made smaller. */
export const proofScenes: readonly Scenario[] = [
  calm,
  noisy,
  fullDisks,
  lostLinks,
  killedEdges,
  powerCuts,
  rest,
  stolenToken,
  manyVersions,
  falseSeals,
  lateFloods,
  waitingFloods,
]
