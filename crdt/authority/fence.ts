/** Where a write stands in its owner's counting (DESIGN.md section 3, rule 6). */
export interface Fence {
  /** 1 and up: the owner's generation. */
  readonly generation: number
  /** 1 and up inside the lane; 0 is the floor of one that holds nothing. Persisted before it is used. */
  readonly n: number
}

/** Negative when `a` is before `b`, 0 when they are equal: the generation first. */
export const compareFences = (a: Fence, b: Fence): number => a.generation - b.generation || a.n - b.n

/**
 * The fence of the next write, above every one seen.
 * @param highest the highest fence of the lane anywhere; undefined when nobody ever wrote
 * @returns undefined when the lane has a fence of a generation this owner was not granted: it is read-only for it
 */
export const nextFence = (highest: Fence | undefined, generation: number): Fence | undefined => {
  if (highest === undefined || highest.generation < generation) return { generation, n: 1 }
  return highest.generation === generation ? { generation, n: highest.n + 1 } : undefined
}
