import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const slowLines = composeScenario({
  name: 'slow-lines',
  summary: 'seconds of latency, 2 KB a second, ways that are clogged',
  topology: places.oneZone,
  faults: ['slow-link', 'narrow-link', 'clog-way'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
