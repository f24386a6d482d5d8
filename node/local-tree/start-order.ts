import type { NodeLayout } from './tree-layout.ts'

/** Nodes in groups of which each needs only those before it: a node comes after every parent that is started too. */
export const wavesOf = <Node extends Pick<NodeLayout, 'name' | 'parents'>>(
  nodes: readonly Node[],
): readonly (readonly Node[])[] => {
  const named = new Map(nodes.map((node) => [node.name, node]))
  const depths = new Map<string, number>()
  const depthOf = (node: Node): number => {
    const known = depths.get(node.name)
    if (known !== undefined) return known
    const above = node.parents.flatMap((name) => named.get(name) ?? []).map(depthOf)
    const depth = above.length === 0 ? 0 : Math.max(...above) + 1
    depths.set(node.name, depth)
    return depth
  }
  const waves = Map.groupBy(nodes, depthOf)
  return [...waves].toSorted(([a], [b]) => a - b).map(([, wave]) => wave)
}

/**
 * Works on all items, `atOnce` at a time, in their order. What was begun is waited for, then the first failure is thrown:
 * after it nothing more is begun.
 */
export const inParallel = async <Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> => {
  let next = 0
  let failed: { readonly error: unknown } | undefined
  const worker = async () => {
    while (failed === undefined && next < items.length) {
      const item = items[next++] as Item
      try {
        await work(item)
      } catch (error) {
        failed ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
  if (failed !== undefined) throw (failed as { readonly error: unknown }).error
}
