import { nodesOf, policyKinds, type Topology, zoneAt } from '../../topologies/index.ts'
import type { Observer } from '../world/index.ts'
import type { LinkRow } from './record.ts'

/** What the mesh puts before the payload of each frame, in bytes. */
const headBytes = 9
/** What holds a link up: greetings, pings and credit, which no stream of its own carries. */
const upkeep = 'upkeep'

interface Count {
  upBytes: number
  downBytes: number
}

export interface LinkWatch {
  readonly observer: Observer
  rows(): readonly LinkRow[]
}

const decoder = new TextDecoder('latin1')

/** Counts the bytes between each node and its parents, by what the streams that carry them are for. */
export const watchLinks = (topology: Topology): LinkWatch => {
  const nodes = nodesOf(topology)
  const parentsOf = new Map(nodes.map(({ name, parents }) => [name as string, new Set<string>(parents)]))
  /** What each open stream of two machines is for; who dials numbers them odd, so both ends count in one map. */
  const purposes = new Map<string, Map<number, string>>()
  const counts = new Map<string, Map<string, Count>>()
  const keyOf = (child: string, parent: string) => `${child}>${parent}`

  const observer: Observer = {
    frame: ({ from, to, frame }) => {
      const isUp = parentsOf.get(from)?.has(to) === true
      if (!isUp && parentsOf.get(to)?.has(from) !== true) return
      const key = isUp ? keyOf(from, to) : keyOf(to, from)
      // A greeting begins a new connection, with new streams.
      const open = frame.kind === 'hello' ? new Map<number, string>() : (purposes.get(key) ?? new Map<number, string>())
      purposes.set(key, open)
      // The first byte says how urgent it is.
      if (frame.kind === 'open') open.set(frame.stream, decoder.decode(frame.payload.subarray(1)))
      const carries = frame.kind === 'open' || frame.kind === 'more' || frame.kind === 'data'
      const kind = carries ? (open.get(frame.stream) ?? upkeep) : upkeep
      const ofLink = counts.get(key) ?? new Map<string, Count>()
      counts.set(key, ofLink)
      const count = ofLink.get(kind) ?? { upBytes: 0, downBytes: 0 }
      ofLink.set(kind, count)
      count[isUp ? 'upBytes' : 'downBytes'] += headBytes + frame.payload.byteLength
    },
  }

  const sum = (of: ReadonlyMap<string, Count>, way: keyof Count) =>
    [...of.values()].reduce((total, count) => total + count[way], 0)

  return {
    observer,
    rows: () =>
      nodes.flatMap(({ name, role, scope, parents }) =>
        parents.flatMap((parent): readonly LinkRow[] => {
          const ofLink = counts.get(keyOf(name, parent))
          if (!ofLink && parent !== parents[0]) return []
          // Between a site and its zone there is no border: what is kept back is kept at the edge of the zone.
          const policy = role === 'aggregator' ? zoneAt(topology, scope)?.policy : undefined
          const levelled = (level: string) => policyKinds.filter((kind) => policy?.[kind] === level)
          return [
            {
              child: name,
              parent,
              scope,
              upBytes: sum(ofLink ?? new Map(), 'upBytes'),
              downBytes: sum(ofLink ?? new Map(), 'downBytes'),
              kinds: [...(ofLink ?? [])]
                .map(([kind, count]) => ({ kind, ...count }))
                .toSorted((a, b) => b.upBytes + b.downBytes - a.upBytes - a.downBytes || (a.kind < b.kind ? -1 : 1)),
              withheld: levelled('none'),
              summarised: levelled('summary'),
            },
          ]
        }),
      ),
  }
}
