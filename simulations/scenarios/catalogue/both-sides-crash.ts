import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const bothSidesCrash = composeScenario({
  name: 'both-sides-crash',
  summary: 'the same, while the aggregator and the tower crash',
  topology: places.oneZone,
  faults: ['kill-aggregator', 'power-aggregator', 'kill-tower'],
  workload: ['deploy', 'upgrade', 'edit-apart', 'settle'],
})
