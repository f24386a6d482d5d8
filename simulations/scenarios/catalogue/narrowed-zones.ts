import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const narrowedZones = composeScenario({
  name: 'narrowed-zones',
  summary: 'those above narrow what may leave a zone, and take it back',
  topology: places.nested,
  faults: ['kill-aggregator', 'cut-zone'],
  workload: ['deploy', 'upgrade', 'tighten', 'loosen'],
})
