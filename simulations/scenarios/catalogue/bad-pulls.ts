import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const badPulls = composeScenario({
  name: 'bad-pulls',
  summary: 'images that come slowly or not at all, and containers that do not start',
  topology: places.flat,
  faults: ['slow-import', 'failing-import', 'starts-fail'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
