import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const fullDisks = composeScenario({
  name: 'full-disks',
  summary: 'disks that take nothing, or take long',
  topology: places.oneZone,
  faults: ['disk-full', 'slow-sync'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
