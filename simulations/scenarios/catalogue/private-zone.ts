import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const privateZone = composeScenario({
  name: 'private-zone',
  summary: 'a zone that keeps its names back, while links and processes fail',
  topology: places.private,
  faults: ['cut-zone', 'kill-aggregator', 'reset-link'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove', 'block', 'allow'],
})
