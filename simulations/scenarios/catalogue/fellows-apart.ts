import { zoneShown } from '../checkers/zone-shown.ts'
import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const fellowsApart = composeScenario({
  name: 'fellows-apart',
  summary:
    'two aggregators of a zone are cut off from each other and the tower, operators change, make and remove applications at each, and settle it',
  topology: places.twoGates,
  checkers: [zoneShown],
  faults: ['cut-link', 'kill-edge', 'power-edge'],
  workload: ['deploy', 'change-at-each', 'remove-at-one', 'differ-at-each', 'settle', 'upgrade'],
  times: { harmMs: 120_000 },
})
