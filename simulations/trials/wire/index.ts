/**
 * The trial `wire`: a federal tree in one process over loopback, everything it sends tapped in plain text, everything it
 * keeps read back, and both searched for canaries that may not be there.
 * Must not be reached by any option of a node: the tap is a power that the trial hands in.
 * Read first: wire-trial.ts, wire-judge.ts.
 */
export { unfold } from './unfold.ts'
export { wire } from './wire-trial.ts'
