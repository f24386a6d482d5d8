import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const bothSides = composeScenario({
  name: 'both-sides',
  summary: 'a zone and the tower change the same application while they are apart, and operators settle it',
  topology: places.twoZones,
  faults: ['cut-link'],
  workload: ['deploy', 'upgrade', 'edit-apart', 'settle'],
})
