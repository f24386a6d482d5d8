/** Cuts a sequence into lots of at most `limitBytes`; an item that is larger goes alone. Never empty. */
export const inBatches = <Item>(
  items: readonly Item[],
  sizeOf: (item: Item) => number,
  limitBytes: number,
): readonly (readonly Item[])[] => {
  const batches: Item[][] = [[]]
  let sizeBytes = 0
  for (const item of items) {
    const last = batches.at(-1) ?? []
    if (last.length > 0 && sizeBytes + sizeOf(item) > limitBytes) {
      batches.push([item])
      sizeBytes = sizeOf(item)
    } else {
      last.push(item)
      sizeBytes += sizeOf(item)
    }
  }
  return batches
}

/** Each item, and whether it is the last. */
export const withLast = <Item>(items: readonly Item[]): readonly (readonly [item: Item, isLast: boolean])[] =>
  items.map((item, at) => [item, at === items.length - 1])
