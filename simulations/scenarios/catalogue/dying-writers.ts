import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const dyingWriters = composeScenario({
  name: 'dying-writers',
  summary: 'processes that end in the midst of a call to their disk',
  topology: places.oneZone,
  faults: ['die-writing'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
