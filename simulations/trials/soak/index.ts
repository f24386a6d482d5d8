/**
 * A soak: weeks of churn in a simulated world, and what grows meanwhile. Must not skip time, nor look into a node: it reads
 * disks, and the heap of this process. Read first: soak-trial.ts, ../../scenarios/run-days.ts.
 */
export { soak } from './soak-trial.ts'
