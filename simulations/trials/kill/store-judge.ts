/** What one store holds of one lane, judged again from its bytes. */
export interface HeldLane {
  readonly lane: string
  /** Hashes of its envelopes, sorted. */
  readonly envelopes: readonly string[]
  /** The highest fence, as text. */
  readonly fence: string
  /** What stands, as text. */
  readonly entries: string
  /** Envelopes that are by nobody entitled, or do not count, and what else is wrong; in words. */
  readonly faults: readonly string[]
}

export interface HeldStore {
  readonly node: string
  readonly lanes: readonly HeldLane[]
  /** Documents of which the disk lost something. */
  readonly damaged: readonly string[]
  /** The node's own; undefined where it has none. */
  readonly certificate: { readonly id: string; readonly number: number; readonly fromMs: number } | undefined
}

export interface Verdict {
  readonly compared: number
  /** In words. */
  readonly broken: readonly string[]
}

/** Whether everything held was written by who may write it, and counts. */
export const entitled = (stores: readonly HeldStore[]): Verdict => ({
  compared: stores.reduce((sum, { lanes }) => sum + lanes.reduce((all, { envelopes }) => all + envelopes.length, 0), 0),
  broken: stores.flatMap(({ node, lanes, damaged }) => [
    ...damaged.map((document) => `${node} lost something of ${document}`),
    ...lanes.flatMap(({ lane, faults }) => faults.map((fault) => `${node}, ${lane}: ${fault}`)),
  ]),
})

/** Whether every lane that two stores hold is the same in both: envelopes, fence and what stands. */
export const sameEverywhere = (stores: readonly HeldStore[]): Verdict => {
  const copies = stores.flatMap(({ node, lanes }) => lanes.map((lane) => ({ node, ...lane })))
  const shared = [...Map.groupBy(copies, ({ lane }) => lane)].filter(([, held]) => held.length > 1)
  const differences = (a: HeldLane, b: HeldLane): readonly string[] => [
    ...(a.envelopes.join() === b.envelopes.join() ? [] : [`${a.envelopes.length} and ${b.envelopes.length} envelopes`]),
    ...(a.fence === b.fence ? [] : [`fences ${a.fence} and ${b.fence}`]),
    ...(a.entries === b.entries ? [] : ['what stands']),
  ]
  return {
    compared: shared.length,
    broken: shared.flatMap(([lane, [first, ...others]]) =>
      others.flatMap((other) => {
        if (first === undefined) return []
        const found = differences(first, other)
        return found.length === 0
          ? []
          : [`${lane} differs between ${first.node} and ${other.node}: ${found.join(', ')}`]
      }),
    ),
  }
}

/** What was written between two looks at stores of a tree at rest. */
export const written = (before: readonly HeldStore[], after: readonly HeldStore[]): Verdict => {
  const keyed = (stores: readonly HeldStore[]) =>
    new Map(
      stores.flatMap(({ node, lanes }) =>
        lanes.map(({ lane, fence, envelopes }) => [
          `${node}, ${lane}`,
          `fence ${fence}, ${envelopes.length} envelopes`,
        ]),
      ),
    )
  const [was, is] = [keyed(before), keyed(after)]
  return {
    compared: is.size,
    broken: [...new Set([...was.keys(), ...is.keys()])].flatMap((name) =>
      was.get(name) === is.get(name)
        ? []
        : [`${name}: ${was.get(name) ?? 'not there'} became ${is.get(name) ?? 'gone'}`],
    ),
  }
}

/** Certificates that are not what they were: nobody has to enrol again. */
export const certificatesKept = (first: readonly HeldStore[], now: readonly HeldStore[]): Verdict => ({
  compared: now.length,
  broken: now.flatMap(({ node, certificate }) => {
    const was = first.find((one) => one.node === node)?.certificate
    if (was === undefined || was.id === certificate?.id) return []
    return [`${node} had certificate ${was.number} and has ${certificate?.number ?? 'none'}`]
  }),
})
