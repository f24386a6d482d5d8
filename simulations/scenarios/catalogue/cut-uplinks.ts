import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const cutUplinks = composeScenario({
  name: 'cut-uplinks',
  summary: 'links between nodes and their parents are cut, both ways',
  topology: places.twoZones,
  faults: ['cut-link'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
