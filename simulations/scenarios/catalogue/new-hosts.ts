import { canaryOf } from '../canaries.ts'
import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const newHosts = composeScenario({
  name: 'new-hosts',
  summary: 'hosts that come later, with a token, while links and processes fail',
  topology: places.twoZones,
  faults: ['cut-link', 'kill-aggregator'],
  workload: ['deploy', 'upgrade', 'enrol'],
  spares: [canaryOf('s2a'), canaryOf('n1a')],
})
