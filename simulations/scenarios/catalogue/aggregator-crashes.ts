import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const aggregatorCrashes = composeScenario({
  name: 'aggregator-crashes',
  summary: 'the process and the power of aggregators',
  topology: places.twoZones,
  faults: ['kill-aggregator', 'power-aggregator'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
