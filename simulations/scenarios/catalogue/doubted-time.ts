import { canaryOf } from '../canaries.ts'
import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const doubtedTime = composeScenario({
  name: 'doubted-time',
  summary: 'hosts come and are replaced while the tower starts with a clock that it does not believe',
  topology: places.twoZones,
  faults: ['tower-in-1970', 'cut-link'],
  workload: ['deploy', 'upgrade', 'remove', 'enrol', 'replace'],
  spares: [canaryOf('s2a'), canaryOf('n1a')],
})
