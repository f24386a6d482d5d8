/** A host that keeps sealed bytes for other sites of its zone, and where those reach it. */
export interface SiblingPeer {
  /** The id of its site. */
  readonly site: string
  /** Its raw public key, 64 hexadecimal digits: who has to answer there. */
  readonly key: string
  /** `host:port`, or `ws://host:port`. */
  readonly address: string
}

/** The siblings a site's bytes are left with. */
export const siblingsPerSite = 2

/** Hosts that may be siblings, in one order; an index by site is made once for all questions. */
export interface SiblingRing {
  /** By the ids of their sites, each with its hosts by their keys. */
  readonly sites: readonly { readonly site: string; readonly hosts: readonly SiblingPeer[] }[]
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

export const ringOf = (peers: readonly SiblingPeer[]): SiblingRing => ({
  sites: [...Map.groupBy(peers, ({ site }) => site)]
    .map(([site, hosts]) => ({ site, hosts: hosts.toSorted((a, b) => byText(a.key, b.key)) }))
    .toSorted((a, b) => byText(a.site, b.site)),
})

/** The first place of something later than `text` in a sorted list, or the first place of all after the last. */
const placeAfter = (count: number, textAt: (at: number) => string, text: string): number => {
  let [low, high] = [0, count]
  while (low < high) {
    const middle = (low + high) >> 1
    if (textAt(middle) > text) high = middle
    else low = middle + 1
  }
  return low === count ? 0 : low
}

/** A list begun somewhere in its middle. */
const from = <Item>(items: readonly Item[], first: number): readonly Item[] => [
  ...items.slice(first),
  ...items.slice(0, first),
]

/**
 * The siblings of a site: hosts of the sites that follow it in the circle of ids. Ids and keys are random, so no hash is
 * needed to spread them; every site that may be a sibling is one for as many as it has of its own, and a site that comes or
 * goes changes the choice of those right before it alone. Where only one other site may be a sibling, two of its hosts are.
 *
 * @param site the id of the site
 * @param count at most so many. @default siblingsPerSite
 */
export const chooseSiblings = (
  site: string,
  { sites }: SiblingRing,
  count = siblingsPerSite,
): readonly SiblingPeer[] => {
  const after = placeAfter(sites.length, (at) => sites[at]?.site ?? '', site)
  const others: SiblingRing['sites'][number][] = []
  for (let step = 0; step < sites.length && others.length < count; step++) {
    const other = sites[(after + step) % sites.length]
    if (other !== undefined && other.site !== site) others.push(other)
  }
  const hosts = others.map((other) =>
    from(
      other.hosts,
      placeAfter(other.hosts.length, (at) => other.hosts[at]?.key ?? '', site),
    ),
  )
  // First one host of each site, then second hosts.
  const most = Math.max(0, ...hosts.map(({ length }) => length))
  return Array.from({ length: most }, (_, turn) => hosts.flatMap((some) => some[turn] ?? []))
    .flat()
    .slice(0, count)
}
