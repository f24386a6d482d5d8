import { zoneShown } from '../checkers/zone-shown.ts'
import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const twoAggregators = composeScenario({
  name: 'two-aggregators',
  summary:
    'a zone that two aggregators run: each dies, loses power and is cut off in turn, and hosts go over to the other',
  topology: places.twoGates,
  checkers: [zoneShown],
  faults: ['kill-aggregator', 'power-aggregator', 'cut-link', 'split'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
