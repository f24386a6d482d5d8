import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const bitFlips = composeScenario({
  name: 'bit-flips',
  summary: 'bits that flip at rest: in stores, in state files and in blobs',
  topology: places.oneZone,
  faults: ['flip-stored', 'flip-state', 'spoil-blob'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
})
