type Fields = Readonly<Record<string, unknown>>

const isMap = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON Merge Patch (RFC 7396): maps are merged deeply, null takes a field away, all else replaces what was there. */
export const mergePatch = (value: Fields, patch: Fields): Fields => {
  const merged = new Map(Object.entries(value))
  for (const [key, change] of Object.entries(patch)) {
    const before = merged.get(key)
    if (change === null) merged.delete(key)
    else merged.set(key, isMap(change) ? mergePatch(isMap(before) ? before : {}, change) : change)
  }
  return Object.fromEntries(merged)
}
