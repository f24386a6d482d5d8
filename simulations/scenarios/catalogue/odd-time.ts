import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const oddTime = composeScenario({
  name: 'odd-time',
  summary: 'clocks that drift, machines that are suspended or stand still',
  topology: places.flat,
  faults: ['clock-drift', 'suspend', 'stall'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
