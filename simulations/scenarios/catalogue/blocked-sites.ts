import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const blockedSites = composeScenario({
  name: 'blocked-sites',
  summary: 'sites blocked and let in again while links and hosts fail',
  topology: places.oneZone,
  faults: ['cut-link', 'power-edge', 'kill-aggregator'],
  workload: ['deploy', 'upgrade', 'block', 'allow'],
})
