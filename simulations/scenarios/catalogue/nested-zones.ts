import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const nestedZones = composeScenario({
  name: 'nested-zones',
  summary: 'a zone inside a zone, cut and crashed',
  topology: places.nested,
  faults: ['cut-zone', 'kill-aggregator', 'power-aggregator'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
