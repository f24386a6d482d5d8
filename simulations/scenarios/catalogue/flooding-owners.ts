import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const floodingOwners = composeScenario({
  name: 'flooding-owners',
  summary: 'owners of lanes in bad hands that sign more than anybody keeps of what waits or is late',
  topology: places.flat,
  faults: ['floods-waiting', 'floods-late', 'reset-link'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
  sealsAfter: 500,
  remains: ['late'],
})
