import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const reconnectStorm = composeScenario({
  name: 'reconnect-storm',
  summary: 'all links of a hub at once, and a hub that restarts',
  topology: places.star,
  faults: ['reconnect-storm', 'hub-restarts'],
  workload: ['deploy', 'upgrade'],
  times: { harmMs: 50_000, settleMs: 65_000, quietMs: 20_000 },
})
