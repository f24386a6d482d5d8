import { editApart, settle } from './apart-moves.ts'
import { allow, block } from './block-moves.ts'
import { changeAtEach, differAtEach, removeAtOne } from './fellow-moves.ts'
import { relabel } from './label-move.ts'
import { enrol, replace } from './member-moves.ts'
import type { MakeMove } from './move.ts'
import { comeAndGo } from './passing-move.ts'
import { loosen, tighten } from './policy-moves.ts'
import { restoreTower } from './restore-move.ts'
import { deploy, remove, rollback, upgrade } from './tower-moves.ts'

/** What operators can do in a scenario, by name. */
export const moves = {
  deploy,
  upgrade,
  rollback,
  remove,
  block,
  allow,
  'edit-apart': editApart,
  settle,
  'change-at-each': changeAtEach,
  'remove-at-one': removeAtOne,
  'differ-at-each': differAtEach,
  relabel,
  tighten,
  loosen,
  enrol,
  replace,
  'come-and-go': comeAndGo,
  'restore-tower': restoreTower,
} as const satisfies Readonly<Record<string, MakeMove>>

export type MoveName = keyof typeof moves

/** What a workload is still to have and cannot yet, and why. */
export const waitingMoves: Readonly<Record<string, string>> = {
  publish: 'no node offers topics yet',
  'rotate-secrets': 'no node keeps secrets of applications yet',
}
