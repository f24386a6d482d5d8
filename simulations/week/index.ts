/**
 * `skerry simulate`: takes somebody's own tree through a plan in virtual time and says in words, numbers and pictures what
 * became of it. Must not know of guards that are switched off or of powers that are swapped: it ships with the program.
 * Read first: run-week.ts, simulator.ts.
 */
export { simulate } from './simulator.ts'
