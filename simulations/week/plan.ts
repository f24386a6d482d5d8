/** What is done to a tree, and when: read from a scenario file, or made for the built-in week. */
export interface WeekPlan {
  readonly name: string
  /** From the moment version `1` runs everywhere until nothing more is done, in milliseconds. */
  readonly lastsMs: number
  /** Once all is healed, every site must be as wanted within this time, in milliseconds. */
  readonly convergeMs: number
  /** After that, nothing may change for so long, in milliseconds. */
  readonly quietMs: number
  readonly days: readonly Day[]
  /** By time. */
  readonly steps: readonly PlannedStep[]
  /** What was left out, and why, in words. */
  readonly leftOut: readonly string[]
}

export interface Day {
  readonly fromMs: number
  readonly title: string
}

/** Machines of a zone, a site or a host, and what a person calls them. */
export interface Target {
  /** As it was written: `/de/bavaria`, `munich-1`, `munich-1-a`. */
  readonly name: string
  readonly kind: 'zone' | 'site' | 'host'
  readonly machines: readonly string[]
  /** Sites in it, and those that have no other way to the tower than through it. */
  readonly sites: readonly string[]
}

export type PlannedStep = { readonly atMs: number } & Deed

/** `untilMs` undefined: until it is healed, or the plan is over. */
export type Deed =
  | { readonly kind: 'cut'; readonly target: Target; readonly untilMs: number | undefined }
  | { readonly kind: 'power'; readonly target: Target; readonly untilMs: number | undefined }
  | {
      readonly kind: 'clock'
      readonly target: Target
      readonly untilMs: number | undefined
      /** What the wall clock says then, in milliseconds since 1970. */
      readonly readsMs: number
    }
  /** The site has the label of the second application meanwhile. */
  | { readonly kind: 'label'; readonly target: Target; readonly untilMs: number | undefined }
  | { readonly kind: 'heal'; readonly target: Target | 'all' }
  | { readonly kind: 'upgrade'; readonly version: string }
  | { readonly kind: 'rollback'; readonly version: string | undefined }

/** The version that runs everywhere when a plan begins. */
export const firstVersion = '1'
