export { type Fault, type FaultName, faults, type Harm } from './faults/index.ts'
