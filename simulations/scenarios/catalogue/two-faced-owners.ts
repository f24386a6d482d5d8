import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const twoFacedOwners = composeScenario({
  name: 'two-faced-owners',
  summary: 'owners of lanes in bad hands that tell one half of those below one thing, and the other another',
  topology: places.oneZone,
  faults: ['signs-twice', 'seals-twice', 'seals-falsely', 'seals-under-proof', 'seals-while-away'],
  workload: ['deploy', 'upgrade', 'rollback', 'remove'],
  // Not the fourth: a site obeys the key of its owner, and one in bad hands may take back what it told.
  invariants: [1, 2, 3, 5, 6, 7, 8, 9, 10],
  sealsAfter: 4,
  remains: ['late', 'proof'],
})
