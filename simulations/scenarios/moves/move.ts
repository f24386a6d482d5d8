import type { Random } from '../../../base/index.ts'
import type { Scene } from '../checker.ts'
import type { TowerDesk } from './tower-desk.ts'

/** One kind of thing operators do in a world, made anew for each run. */
export interface Move {
  /** Begins it; false when there is nothing to do it to just now. */
  begin(random: Random): boolean
  /** Takes back what must not stay once all is healed; resolves when it is. */
  readonly settle?: () => Promise<void>
  /** What operators still have to do before the world can be as wanted; asked again and again at the end. */
  readonly lacking?: () => Promise<readonly string[]>
}

/** What the moves of one run share. */
export interface Office {
  readonly scene: Scene
  readonly tower: TowerDesk
  /** Sites that are blocked, or may be because nobody answered. */
  readonly blocked: Set<string>
  /** Machines that are not set up yet. */
  readonly spares: Set<string>
  /** Paths of zones whose operators changed something by themselves. */
  readonly apart: Set<string>
  /** Whether aggregators of a zone cannot reach each other, or may not know yet what the other did then. */
  readonly fellows: { isApart: boolean }
  /** A move was told that it is done. */
  readonly acknowledge: (move: string) => void
}

export type MakeMove = (office: Office) => Move
