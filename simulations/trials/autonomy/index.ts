/**
 * The trial `autonomy`: what operators ask of a tree of which parts are away, against a table of what must come of it.
 * Must not ask the program to pretend: what is away is killed, and a wrong clock is one for the process.
 * Read first: matrix.ts, autonomy-trial.ts.
 */
export { autonomy } from './autonomy-trial.ts'
