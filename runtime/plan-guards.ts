/** What holds the planner to its invariants. Proofs leave one out to see what it stops. */
export const planGuards = ['retired-ends'] as const
export type PlanGuard = (typeof planGuards)[number]

/** @param guards @default all */
export const isAsked = (guards: ReadonlySet<PlanGuard> | undefined, guard: PlanGuard): boolean =>
  guards?.has(guard) ?? true
