import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const enginesLie = composeScenario({
  name: 'engines-lie',
  summary: 'engines that tell nobody what changes, and list what was',
  topology: places.flat,
  faults: ['engine-loses-events', 'engine-lists-stale'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
