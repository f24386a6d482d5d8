import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const swizzled = composeScenario({
  name: 'swizzled',
  summary: 'all links of one side go one after the other, and come back in another order',
  topology: places.star,
  faults: ['swizzle', 'reset-link'],
  workload: ['deploy', 'upgrade'],
  times: { harmMs: 50_000, settleMs: 65_000, quietMs: 20_000 },
})
