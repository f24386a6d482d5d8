import type { Store } from '../../../crdt/index.ts'

/**
 * Stores of several nodes in one: each sees the keys below its prefix alone. The whole is opened once and stays open when one
 * of them closes. @param whole open already
 */
export const createPrefixedStore = (whole: Store, prefix: string): Store => ({
  open: async () => {},
  close: async () => {},
  get: (key) => whole.get(prefix + key),
  scan: async function* ({ prefix: inner, after, limit }) {
    const range = {
      prefix: prefix + inner,
      ...(after !== undefined && { after: prefix + after }),
      ...(limit !== undefined && { limit }),
    }
    for await (const { key, value } of whole.scan(range)) yield { key: key.slice(prefix.length), value }
  },
  write: (batch, options) =>
    whole.write(
      batch.map((change) => ({ ...change, key: prefix + change.key })),
      options,
    ),
})
