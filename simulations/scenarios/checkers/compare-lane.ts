/** One epoch of a lane as one machine holds it. */
export interface HeldEpoch {
  /** Of the record that begins it; empty while that is not here. */
  readonly genesis: string
  /** Hashes of its changes. */
  readonly changes: ReadonlySet<string>
  /** Hashes of those that are late: outside of what it comes to, kept and listed. */
  readonly late: ReadonlySet<string>
}

/** What of one lane lies on one disk, by number of the epoch: those that were sealed and are kept, and the open one. */
export type HeldLane = ReadonlyMap<number, HeldEpoch>

const openOf = (held: HeldLane | undefined): number =>
  Math.max(0, ...[...(held ?? [])].flatMap(([epoch, { genesis }]) => (genesis === '' ? [] : epoch)))

/**
 * Changes of the open epoch that wait in vain: written under a seal that lost, they came here in their epoch and there as
 * late. Whoever has one in its epoch lists it as late too, and it counts nowhere.
 */
const inVain = (held: readonly (HeldEpoch | undefined)[]): ReadonlySet<string> => {
  const known = held.filter((one) => one !== undefined)
  const late = new Set(known.flatMap((one) => [...one.late]))
  return new Set([...late].filter((hash) => known.every((one) => one.late.has(hash))))
}

const lackingIn = (own: HeldEpoch | undefined, all: ReadonlySet<string>): number =>
  [...all].filter((hash) => !own?.changes.has(hash)).length

/** What the machine lacks of the epoch that is open elsewhere, and of those that others keep as it does. */
export const compareLane = (
  machine: string,
  own: HeldLane | undefined,
  others: readonly HeldLane[],
): readonly string[] => {
  const open = Math.max(...others.map(openOf))
  const differ: string[] = []
  for (const epoch of new Set(others.flatMap((held) => [...held.keys()]))) {
    const held = own?.get(epoch)
    // Of an epoch that did not come, one may hold late changes.
    const mine = held?.genesis === '' && held.changes.size === 0 ? undefined : held
    // One that is sealed is kept whole by who was there, and not at all by who came later.
    if (epoch !== open && (mine === undefined || mine.genesis === '')) continue
    const same = others.flatMap((other) => other.get(epoch) ?? []).filter(({ genesis }) => genesis === mine?.genesis)
    const all = new Set(
      (epoch === open ? others.flatMap((other) => other.get(epoch) ?? []) : same).flatMap((one) => [...one.changes]),
    )
    const vain = epoch === open ? inVain([mine, ...others.map((other) => other.get(epoch))]) : new Set<string>()
    const missing = lackingIn(mine, all.difference(vain))
    if (mine === undefined) differ.push(`${machine} lacks epoch ${epoch} and ${missing} of ${all.size} changes`)
    else if (missing > 0) differ.push(`${machine} lacks ${missing} of ${all.size} changes of epoch ${epoch}`)
    // One that the disk spoiled is kept again when a peer next tells it: until then it says nothing.
    else if (epoch === open && new Set([own, ...others].flatMap((one) => one?.get(epoch)?.genesis || [])).size > 1)
      differ.push(`${machine} holds another seal of epoch ${epoch} than others`)
  }
  return differ
}
