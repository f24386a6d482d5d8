/** One epoch of a lane as one machine holds it. */
export interface HeldEpoch {
  /** Of the record that begins it; empty while that is not here. */
  readonly genesis: string
  /** Hashes of its changes. */
  readonly changes: ReadonlySet<string>
  /** Hashes of those that are late: outside of what it comes to, kept and listed. */
  readonly late: ReadonlySet<string>
}

/** Of a change: its own hash, which others name, and those it stands on. By hash of the envelope, whoever holds it. */
export type StandsOn = ReadonlyMap<string, { readonly change: string; readonly deps: readonly string[] }>

/** What of one lane lies on one disk, by number of the epoch: those that were sealed and are kept, and the open one. */
export type HeldLane = ReadonlyMap<number, HeldEpoch>

const openOf = (held: HeldLane | undefined): number =>
  Math.max(0, ...[...(held ?? [])].flatMap(([epoch, { genesis }]) => (genesis === '' ? [] : epoch)))

/**
 * Changes of the open epoch that wait in vain, and so count nowhere: nobody has to bring them to others. Those that were
 * written under a seal that lost, and came here in their epoch and there as late: whoever has one in its epoch lists it as
 * late too. And those that stand on such a one, or on what neither is held by anybody nor is what the epoch began with: that
 * is known by what all hold.
 */
const inVain = (held: readonly (HeldEpoch | undefined)[], standsOn: StandsOn): ReadonlySet<string> => {
  const known = held.filter((one) => one !== undefined)
  const late = new Set(known.flatMap((one) => [...one.late]))
  const vain = new Set([...late].filter((hash) => known.every((one) => one.late.has(hash))))
  const all = new Set(known.flatMap((one) => [...one.changes]))
  const byChange = Map.groupBy(all, (hash) => standsOn.get(hash)?.change)
  const depsOf = (hash: string) => standsOn.get(hash)?.deps ?? []
  const common = [...all].filter((hash) => !vain.has(hash) && known.every((one) => one.changes.has(hash)))
  const begins = new Set(common.flatMap(depsOf).filter((dep) => !byChange.has(dep)))
  const isVain = (dep: string) =>
    byChange.get(dep)?.every((hash) => vain.has(hash)) ?? (begins.size > 0 && !begins.has(dep))
  for (let before = -1; before < vain.size; ) {
    before = vain.size
    for (const hash of all) if (depsOf(hash).some(isVain)) vain.add(hash)
  }
  return vain
}

const lackingIn = (own: HeldEpoch | undefined, all: ReadonlySet<string>): number =>
  [...all].filter((hash) => !own?.changes.has(hash)).length

/** What the machine lacks of the epoch that is open elsewhere, and of those that others keep as it does. */
export const compareLane = (
  machine: string,
  own: HeldLane | undefined,
  others: readonly HeldLane[],
  standsOn: StandsOn = new Map(),
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
    const vain =
      epoch === open ? inVain([mine, ...others.map((other) => other.get(epoch))], standsOn) : new Set<string>()
    const missing = lackingIn(mine, all.difference(vain))
    if (mine === undefined) differ.push(`${machine} lacks epoch ${epoch} and ${missing} of ${all.size} changes`)
    else if (missing > 0) differ.push(`${machine} lacks ${missing} of ${all.size} changes of epoch ${epoch}`)
    // One that the disk spoiled is kept again when a peer next tells it: until then it says nothing.
    else if (epoch === open && new Set([own, ...others].flatMap((one) => one?.get(epoch)?.genesis || [])).size > 1)
      differ.push(`${machine} holds another seal of epoch ${epoch} than others`)
  }
  return differ
}
