/** The part of a map that a fold needs. */
export type Lookup<Key, Value> = Pick<Map<Key, Value>, 'get' | 'set' | 'delete' | 'size'>

/** Changes to a large map that are there for whoever holds the layer, and for all others once they are committed. */
export interface Layer<Key, Value> extends Lookup<Key, Value> {
  commit(): void
}

export const createLayer = <Key, Value>(base: Map<Key, Value>): Layer<Key, Value> => {
  const changed = new Map<Key, Value | undefined>()
  let { size } = base
  const get = (key: Key) => (changed.has(key) ? changed.get(key) : base.get(key))
  const layer: Layer<Key, Value> = {
    get,
    get size() {
      return size
    },
    set: (key, value) => {
      if (get(key) === undefined) size += 1
      changed.set(key, value)
      return layer as unknown as Map<Key, Value>
    },
    delete: (key) => {
      const isThere = get(key) !== undefined
      if (isThere) size -= 1
      changed.set(key, undefined)
      return isThere
    },
    commit: () => {
      for (const [key, value] of changed) {
        if (value === undefined) base.delete(key)
        else base.set(key, value)
      }
    },
  }
  return layer
}
