import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const restoredTower = composeScenario({
  name: 'restored-tower',
  summary: 'a tower whose disk is that of an earlier time',
  topology: places.oneZone,
  faults: ['cut-link', 'kill-edge'],
  workload: ['deploy', 'upgrade', 'restore-tower'],
})
