import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const edgeCrashes = composeScenario({
  name: 'edge-crashes',
  summary: 'the process and the power of hosts',
  topology: places.flat,
  faults: ['kill-edge', 'power-edge'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
