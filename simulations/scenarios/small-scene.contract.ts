import { composeScenario } from './compose-scenario.ts'
import { siteText, topologyText, zoneText } from './marks.ts'

/** Six nodes for a few minutes, with nothing that goes wrong by itself: what a test breaks is all that is broken. */
export const smallScenario = composeScenario({
  name: 'small',
  summary: 'a tower, one zone, three sites',
  topology: topologyText(
    'small',
    [siteText('a1', ['a1a'], 'gold')],
    [zoneText('north', [siteText('n1', ['n1a', 'n1b'], 'gold'), siteText('n2', ['n2a'], 'iron')])],
  ),
  faults: [],
  workload: ['deploy', 'upgrade', 'rollback', 'remove', 'block', 'allow'],
  times: {
    harmMs: 90_000,
    faultEveryMs: [10_000, 20_000],
    moveEveryMs: [4_000, 12_000],
    convergeMs: 40_000,
    settleMs: 90_000,
    quietMs: 120_000,
  },
})
