import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const failingContainers = composeScenario({
  name: 'failing-containers',
  summary: 'containers that end, end again and again, and hang',
  topology: places.bigSite,
  faults: ['container-ends', 'container-crashes', 'container-hangs'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
