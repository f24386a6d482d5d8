/**
 * Proofs that the checkers find what they are for: each guard of a node is taken out in turn, and a run must then break
 * the invariant it keeps. Must not judge a run by anything but its checkers. Read first: guard.ts, prove-guard.ts.
 */
export { proofCommand, proofUsage } from './proof-command.ts'
