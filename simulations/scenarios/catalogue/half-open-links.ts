import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const halfOpenLinks = composeScenario({
  name: 'half-open-links',
  summary: 'links of which one end knows nothing, and links that break',
  topology: places.twoZones,
  faults: ['half-open', 'broken-link', 'reset-link'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
