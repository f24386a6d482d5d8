import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const sealedLanes = composeScenario({
  name: 'sealed-lanes',
  summary: 'lanes that are sealed every few changes, while links and processes fail',
  topology: places.oneZone,
  faults: ['cut-link', 'kill-aggregator', 'power-edge'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
  sealsAfter: 4,
})
