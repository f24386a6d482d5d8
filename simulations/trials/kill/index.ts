/**
 * The trial `kill`: nodes of a whole tree are killed under load.
 * Must not reach into a node that runs: it uses the command line, the API, and copies of stores.
 * Read first: kill-trial.ts, tree-judge.ts.
 */

export type { Driver } from './applications.ts'
export { fakeTimeLibrary } from './faked-node.ts'
export { kill } from './kill-trial.ts'
export { cannotRun, chooseDriver, claim, removeTrees, type TrialPlace, worldOf } from './tree-scene.ts'
