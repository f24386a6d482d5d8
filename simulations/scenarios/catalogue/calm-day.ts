import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const calmDay = composeScenario({
  name: 'calm-day',
  summary: 'nothing goes wrong: what operators do, and nothing else',
  topology: places.twoZones,
  faults: [],
  workload: ['deploy', 'upgrade', 'rollback', 'remove', 'block', 'allow', 'come-and-go'],
})
