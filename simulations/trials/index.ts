/**
 * Trials: harm done to a real tree on this machine at seeded random, and what must hold nevertheless, read from outside.
 * Must not ask the program under trial whether it did well where the kernel or the engine can be asked.
 * Read first: host-kill.ts, judge.ts.
 */
export { apart } from './apart/index.ts'
export { autonomy } from './autonomy/index.ts'
export { hostKill } from './host-kill.ts'
export { kill } from './kill/index.ts'
export { soak } from './soak/index.ts'
export type { Trial, TrialOptions, TrialRow } from './trial-row.ts'
export { wire } from './wire/index.ts'
