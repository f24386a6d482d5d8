import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const towerCrashes = composeScenario({
  name: 'tower-crashes',
  summary: 'the process and the power of the tower',
  topology: places.oneZone,
  faults: ['kill-tower', 'power-tower'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
