import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const twoFacedOwners = composeScenario({
  name: 'two-faced-owners',
  summary: 'owners of lanes in bad hands that tell one half of those below one thing, and the other another',
  topology: places.oneZone,
  faults: ['signs-twice', 'seals-twice', 'seals-falsely', 'seals-under-proof', 'seals-while-away'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
  sealsAfter: 4,
  remains: ['late', 'proof'],
})
