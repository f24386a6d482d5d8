import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const wrongClocks = composeScenario({
  name: 'wrong-clocks',
  summary: '1970, ten years ahead, and leaps',
  topology: places.twoZones,
  faults: ['wall-1970', 'wall-ahead', 'clock-leap'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove', 'block', 'allow'],
})
