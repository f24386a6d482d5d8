import { parseTopology } from '../../topologies/index.ts'
import { acknowledgedKept } from './checkers/acknowledged-kept.ts'
import { authorsEntitled } from './checkers/authors-entitled.ts'
import { canariesStay } from './checkers/canaries-stay.ts'
import { fixedPoint } from './checkers/fixed-point.ts'
import { healthyUntouched } from './checkers/healthy-untouched.ts'
import { replicasAgree } from './checkers/replicas-agree.ts'
import { markTopology, siteText, topologyText, zoneText } from './marks.ts'
import type { Scenario } from './scenario.ts'

const topology = parseTopology(
  topologyText(
    'small',
    [siteText('a1', ['a1a'], 'gold')],
    [zoneText('north', [siteText('n1', ['n1a', 'n1b'], 'gold'), siteText('n2', ['n2a'], 'iron')])],
  ),
  'small.yaml',
)

/** Six nodes for a few minutes, with nothing that goes wrong by itself: what a test breaks is all that is broken. */
export const smallScenario: Scenario = {
  name: 'small',
  summary: 'a tower, one zone, three sites',
  topology,
  mark: (canaries) => markTopology(canaries, topology, []),
  faults: [],
  checkers: [canariesStay, authorsEntitled, replicasAgree, healthyUntouched, acknowledgedKept, fixedPoint],
  invariants: [1, 2, 3, 4, 6, 8],
  harmMs: 90_000,
  faultEveryMs: [10_000, 20_000],
  moveEveryMs: [4_000, 12_000],
  convergeMs: 40_000,
  settleMs: 90_000,
  quietMs: 120_000,
}
