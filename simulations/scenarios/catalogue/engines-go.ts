import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const enginesGo = composeScenario({
  name: 'engines-go',
  summary: 'engines that are away, restart or lose their answers',
  topology: places.bigSite,
  faults: ['engine-down', 'engine-restarts', 'engine-loses-answers'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
