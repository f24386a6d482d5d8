import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const bothSidesPrivate = composeScenario({
  name: 'both-sides-private',
  summary: 'the same in a zone that keeps its own to itself',
  topology: places.private,
  faults: ['kill-aggregator', 'reset-link'],
  workload: ['deploy', 'edit-apart', 'settle'],
})
