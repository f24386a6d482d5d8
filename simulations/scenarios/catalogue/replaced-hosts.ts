import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const replacedHosts = composeScenario({
  name: 'replaced-hosts',
  summary: 'other machines take the place of hosts, without a token',
  topology: places.oneZone,
  faults: ['cut-link', 'kill-aggregator'],
  workload: ['deploy', 'upgrade', 'replace'],
})
