import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const failingContainers = composeScenario({
  name: 'failing-containers',
  summary: 'containers that end, end again and again, hang, or let nobody connect',
  topology: places.bigSite,
  faults: ['container-ends', 'container-crashes', 'container-hangs', 'container-refuses'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
