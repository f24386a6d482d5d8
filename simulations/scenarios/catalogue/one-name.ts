import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const oneName = composeScenario({
  name: 'one-name',
  summary:
    'a zone and the tower each make an application of one name while they are apart, and operators take one of them',
  topology: places.twoZones,
  faults: ['kill-aggregator', 'power-aggregator', 'kill-edge', 'cut-link'],
  workload: ['deploy', 'edit-apart', 'settle', 'rollback', 'upgrade', 'remove'],
})
