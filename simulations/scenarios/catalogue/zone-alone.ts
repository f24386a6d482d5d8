import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const zoneAlone = composeScenario({
  name: 'zone-alone',
  summary: 'a whole zone is cut off, and the tree falls in two',
  topology: places.twoZones,
  faults: ['cut-zone', 'split'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
