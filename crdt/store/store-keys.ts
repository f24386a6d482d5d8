import type { StoreChange } from './store.ts'
import { formatKey } from './stored-value.ts'

const keyPattern = /^[\x20-\x7e]{1,512}$/

/** Sorts after every key that begins with the prefix. */
export const endOf = (prefix: string): string => `${prefix}\x7f`

/** @throws {RangeError} when a key is not 1 to 512 printable ASCII characters, or is the store's own */
export const checkKeys = (batch: readonly StoreChange[]): void => {
  for (const { key } of batch)
    if (!keyPattern.test(key) || key === formatKey)
      throw new RangeError(`${JSON.stringify(key.slice(0, 80))} is not a key that may be written`)
}
