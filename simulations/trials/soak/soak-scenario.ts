import { composeScenario, type Scenario, siteText, topologyText, zoneText } from '../../scenarios/index.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs

/** A tower with a site of its own, a zone, and a zone that keeps its own to itself. Seven nodes. */
const topology = topologyText(
  'soak',
  [siteText('a1', ['a1a'], 'gold')],
  [
    zoneText('north', [siteText('n1', ['n1a'], 'iron')]),
    zoneText('east', [siteText('e1', ['e1a'], 'gold'), siteText('e2', ['e2a'], 'iron')], { privacy: true }),
  ],
)

/** A lane of so few changes is sealed several times in the first days: after that what it takes is to stay what it is. */
const sealLimits = { changes: 60, sizeBytes: 32 * 1024 }

/** Of each day most is harm; then it is healed, and the rest is quiet. @param harmMs how long operators and faults are at work */
export const soakScenario = (harmMs: number): Scenario => ({
  ...composeScenario({
    name: 'soak',
    summary: 'weeks of what happens in any week',
    topology,
    faults: [
      'cut-link',
      'cut-zone',
      'split',
      'reset-link',
      'half-open',
      'hub-restarts',
      'kill-tower',
      'kill-aggregator',
      'kill-edge',
      'power-tower',
      'power-aggregator',
      'power-edge',
      'die-writing',
      'wall-1970',
      'wall-ahead',
      'clock-drift',
      'suspend',
      'container-ends',
    ],
    workload: ['deploy', 'upgrade', 'rollback', 'remove', 'relabel', 'block', 'allow', 'replace', 'come-and-go'],
    times: {
      harmMs,
      moveEveryMs: [6 * minuteMs, 24 * minuteMs],
      convergeMs: 10 * minuteMs,
    },
  }),
  sealLimits,
})
