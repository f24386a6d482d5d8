import type { ScopePath } from '../../../base/index.ts'
import { ancestorsOf, parentOf, type Topology, visibleTo, type Zone, zones } from '../../../topologies/index.ts'
import type { Capture } from './tap.ts'
import { asked, type WireTree } from './wire-tree.ts'

/** What a zone of which only counts may leave was counted as, above it. */
export interface Figure {
  readonly zone: ScopePath
  readonly reader: ScopePath
  /** `report`: in what its parent link brought it; `status`: in what it tells a person. */
  readonly by: 'report' | 'status'
  /** Hosts that report to the zone: each runs one instance. */
  readonly expected: number
  readonly ready: number | undefined
}

/** Hosts below a zone whose reports reach it, counted or in full. */
const reportingBelow = (zone: Zone): number =>
  zone.sites.reduce((sum, site) => sum + site.hosts.length, 0) +
  zone.zones.filter(({ policy }) => policy.reports !== 'none').reduce((sum, inner) => sum + reportingBelow(inner), 0)

interface ReportMessage {
  readonly zones: readonly { readonly scope: string; readonly rollUp: string }[]
}

/** Where the body of a signed roll-up begins, and the signature at its end, in bytes (docs/adr/0027-reports.md). */
const rollUpHeadBytes = 85
const signatureBytes = 64

/** Most instances of one application that are ready by a zone's signed counts, in the newest report that has them. */
const readyIn = (captures: readonly Capture[], zone: string): number | undefined => {
  for (const { messages } of captures.toReversed())
    for (const message of messages.toReversed()) {
      const said = JSON.parse(Buffer.from(message.subarray(1)).toString()) as ReportMessage
      const found = said.zones.find(({ scope }) => scope === zone)
      if (found === undefined) continue
      const bytes = Buffer.from(found.rollUp, 'base64')
      const body = JSON.parse(bytes.subarray(rollUpHeadBytes, -signatureBytes).toString()) as {
        readonly rows: readonly { readonly ready: number }[]
      }
      // Each row is one application: the one that runs at every host counts most.
      return Math.max(0, ...body.rows.map(({ ready }) => ready))
    }
  return undefined
}

/** Zones whose counts an ancestor is to have, each as it lets them out itself. */
const countedFor = (topology: Topology): readonly { readonly zone: Zone; readonly reader: ScopePath }[] =>
  zones(topology)
    .filter(({ policy }) => policy.reports === 'summary')
    .flatMap((zone) =>
      ancestorsOf(zone.path)
        .filter((reader) => visibleTo(topology, parentOf(zone.path) ?? reader, reader, 'reports') === 'all')
        .map((reader) => ({ zone, reader })),
    )

/** What those above a zone that lets out summaries alone know of the one application that is ready everywhere. */
export const readFigures = async (tree: WireTree, application: string, version: string): Promise<readonly Figure[]> => {
  const { topology, tap, nodes, nodeOf } = tree
  const figures: Figure[] = []
  for (const { zone, reader } of countedFor(topology)) {
    const at = nodes.find(({ place }) => place.scope === reader)
    if (at === undefined) continue
    const figure = { zone: zone.path, reader, expected: reportingBelow(zone) }
    const came = tap.captures.filter(
      ({ peer, purpose, messages }) => purpose === 'reports' && messages.length > 0 && nodeOf(peer) === at,
    )
    figures.push({ ...figure, by: 'report', ready: readyIn(came, zone.path) })
    // An aggregator without sites of its own has no names for what inner zones count.
    if (reader !== '/') continue
    const view = await at.node.services.state.application(application, asked)
    const row = view?.zones?.find((one) => one.zone === zone.path && one.version === version)
    figures.push({ ...figure, by: 'status', ready: row?.ready.count })
  }
  return figures
}
