import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const oneWayStreets = composeScenario({
  name: 'one-way-streets',
  summary: 'ways that carry in one direction only',
  topology: places.flat,
  faults: ['cut-one-way', 'split-one-way'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
