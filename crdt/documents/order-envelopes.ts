import { type Envelope, scanEnvelope } from '../envelope/index.ts'

/**
 * Each after what it stands on, as far as that is there; else by hash. In this order every envelope that counts does so
 * as soon as it is taken, and none waits in the parking.
 */
export const orderByDependencies = (envelopes: readonly Envelope[]): readonly Envelope[] => {
  if (envelopes.length < 2) return envelopes
  const sorted = envelopes.toSorted((a, b) => (a.hash < b.hash ? -1 : 1))
  const depsOf = new Map<Envelope, readonly string[]>()
  const byChange = new Map<string, Envelope[]>()
  for (const envelope of sorted) {
    const scanned = scanEnvelope(envelope)
    depsOf.set(envelope, scanned.ok ? scanned.header.deps : [])
    if (scanned.ok) byChange.set(scanned.header.hash, [...(byChange.get(scanned.header.hash) ?? []), envelope])
  }
  const ordered = new Set<Envelope>()
  const entered = new Set<Envelope>()
  for (const first of sorted) {
    const open = [first]
    for (let at = open.at(-1); at !== undefined; at = open.at(-1)) {
      const below = (depsOf.get(at) ?? []).flatMap((dep) => byChange.get(dep) ?? []).filter((one) => !entered.has(one))
      if (!entered.has(at) && below.length > 0) {
        entered.add(at)
        open.push(...below)
        continue
      }
      entered.add(at)
      ordered.add(at)
      open.pop()
    }
  }
  return [...ordered]
}
