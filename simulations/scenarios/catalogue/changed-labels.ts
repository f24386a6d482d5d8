import { composeScenario } from '../compose-scenario.ts'
import { places } from './places.ts'

export const changedLabels = composeScenario({
  name: 'changed-labels',
  summary: 'sites get other labels, and what goes by them comes and goes, while links and hosts fail',
  topology: places.twoZones,
  faults: ['cut-link', 'kill-edge', 'power-aggregator'],
  workload: ['deploy', 'upgrade', 'relabel'],
})
