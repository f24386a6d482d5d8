import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const wornTower = composeScenario({
  name: 'worn-tower',
  summary: 'bits that flip at rest at a tower and its few nodes, again and again, while it is worked with',
  topology: places.oneZone,
  faults: ['flip-stored', 'spoil-blob', 'kill-tower'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
  times: { faultEveryMs: [4_000, 9_000] },
})
