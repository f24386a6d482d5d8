import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const oneSite = composeScenario({
  name: 'one-site',
  summary: 'one site of three hosts that loses some of them',
  topology: places.bigSite,
  faults: ['power-edge', 'cut-link', 'kill-edge'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
