/**
 * Leaves out of a list what is not needed for something to fail: delta debugging by complements (A. Zeller and R. Hildebrandt,
 * Simplifying and Isolating Failure-Inducing Input, 2002). Of what is left no single item can be left out.
 * @param fails asked of shorter lists in the order of the items; what it last said yes to is the answer
 */
export const reduce = async <Item>(
  items: readonly Item[],
  fails: (some: readonly Item[]) => Promise<boolean>,
): Promise<readonly Item[]> => {
  if (items.length === 0 || (await fails([]))) return []
  let left = items
  for (let size = Math.ceil(left.length / 2); ; ) {
    const shorter = await shorten(left, size, fails)
    if (size === 1 && shorter === left) return left
    size = shorter === left ? Math.ceil(size / 2) : Math.max(1, Math.min(size, Math.ceil(shorter.length / 2)))
    left = shorter
  }
}

/** Leaves out each stretch of `size` items that is not needed, from the end. Answers the same list where all are. */
const shorten = async <Item>(
  items: readonly Item[],
  size: number,
  fails: (some: readonly Item[]) => Promise<boolean>,
): Promise<readonly Item[]> => {
  let left = items
  for (let end = items.length; end > 0; end -= size) {
    const some = [...left.slice(0, Math.max(0, end - size)), ...left.slice(end)]
    if (some.length > 0 && some.length < left.length && (await fails(some))) left = some
  }
  return left
}
