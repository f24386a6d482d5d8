/** Stands where a version would, for an application that is to run no more. */
export const retired = 'retired'

/** What one store holds, at a glance. */
export interface SketchedStore {
  readonly node: string
  readonly scope: string
  readonly lanes: readonly {
    readonly lane: string
    /** Hashes of the envelopes that all others stand below. */
    readonly heads: string
    /** Of a lane of intents: whom it is for, who wrote it, and the signed version of each application by its id. */
    readonly scope?: string
    readonly owner?: string
    readonly told?: ReadonlyMap<string, string>
  }[]
  /** What an edge works on: signed versions by application id. */
  readonly accepted: ReadonlyMap<string, string>
}

/** Lanes that are not the same in all stores that hold them. */
const apart = (stores: readonly SketchedStore[]): readonly string[] => {
  const copies = stores.flatMap(({ node, lanes }) => lanes.map((one) => ({ node, ...one })))
  return [...Map.groupBy(copies, ({ lane }) => lane)].flatMap(([lane, [first, ...others]]) =>
    others
      .filter(({ heads }) => heads !== first?.heads)
      .map(({ node }) => `${lane} is not the same at ${first?.node} and ${node}`),
  )
}

const differing = (
  words: string,
  asked: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): readonly string[] =>
  [...asked].flatMap(([application, version]) =>
    // Who was never told of an application need not be told that it is retired.
    (found.get(application) ?? retired) === version ? [] : [`${words} is behind with ${application}`],
  )

/**
 * What has not come down yet: a lane that is not the same everywhere, a zone or site that was told another signed version
 * than the zone above it, an edge that works on another than it was told. The same page may be served by an old version
 * and by the newest: only this says that nothing is on its way any more.
 */
export const onItsWay = (stores: readonly SketchedStore[]): readonly string[] => {
  const intents = new Map(
    stores.flatMap(({ lanes }) =>
      lanes.flatMap(({ scope, owner, told }) => (scope && owner && told ? [[scope, { owner, told }] as const] : [])),
    ),
  )
  const toldOf = (scope: string): ReadonlyMap<string, string> => intents.get(scope)?.told ?? new Map()
  return [
    ...apart(stores),
    ...[...intents].flatMap(([scope, { owner, told }]) => differing(scope, toldOf(owner), told)),
    ...stores.flatMap(({ node, scope, accepted }) =>
      scope === '/' || accepted.size === 0 ? [] : differing(node, toldOf(scope), accepted),
    ),
  ]
}
