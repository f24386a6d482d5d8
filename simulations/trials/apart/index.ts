/**
 * A zone and its tower apart for a day, with changes on both sides, in virtual time: what coming together costs. Must not
 * look inside a node: it reads stores, frames and engines. Read first: apart.ts, day-apart.ts.
 */
export { apart } from './apart.ts'
