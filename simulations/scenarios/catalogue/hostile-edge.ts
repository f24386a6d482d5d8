import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const hostileEdge = composeScenario({
  name: 'hostile-edge',
  summary: 'a host that forges, replays, lies and floods, and entitled keys that sign what is no change',
  topology: places.oneZone,
  faults: ['hostile-edge', 'poison-change', 'reset-link'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
