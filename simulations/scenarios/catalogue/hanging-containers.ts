import { illRestarted } from '../checkers/ill-restarted.ts'
import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const hangingContainers = composeScenario({
  name: 'hanging-containers',
  summary: 'containers that answer no probe, or let nobody connect, until they are started again',
  topology: places.flat,
  faults: ['container-hangs', 'container-refuses', 'reset-link'],
  workload: ['deploy', 'upgrade'],
  checkers: [illRestarted],
  times: { harmMs: 150_000, faultEveryMs: [4_000, 10_000], moveEveryMs: [14_000, 34_000] },
})
