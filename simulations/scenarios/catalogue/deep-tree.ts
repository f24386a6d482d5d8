import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const deepTree = composeScenario({
  name: 'deep-tree',
  summary: 'four levels, of which any may be away',
  topology: places.deep,
  faults: ['cut-link', 'kill-aggregator', 'kill-tower'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
