import type { ScopePath } from '../../../base/index.ts'
import {
  ancestorsOf,
  type PolicyKind,
  type PolicyLevel,
  parentOf,
  policyKinds,
  policyLevels,
  type Topology,
  visibleTo,
  zones,
} from '../../../topologies/index.ts'
import type { TrialRow } from '../trial-row.ts'
import { type Canary, isWithin, type Right, rightOf } from './canary-register.ts'
import { largeChangeBytes, type Sighting } from './look.ts'

export type Planted = readonly (readonly [needle: string, canary: Canary])[]

/** A canary where it may not be. */
export interface Leak {
  readonly canary: Canary
  readonly right: Right
  /** Whose reading of it is against the policies. */
  readonly reader: ScopePath
  readonly sighting: Sighting
}

const isAllowed = (right: Right): boolean => right === 'own' || right === 'all'

/** Sightings that the policies forbid, judged at both ends of a link: who sends a thing holds it too. */
export const leaksIn = (topology: Topology, planted: Planted, sightings: readonly Sighting[]): readonly Leak[] => {
  const canaries = new Map(planted)
  return sightings.flatMap((sighting) => {
    const canary = canaries.get(sighting.needle)
    if (canary === undefined || sighting.place === 'calibration') return []
    const ends = sighting.from === undefined ? [sighting.reader] : [sighting.reader, sighting.from]
    return ends
      .map((reader) => ({ canary, reader, sighting, right: rightOf(topology, canary, reader) }))
      .filter(({ right }) => !isAllowed(right))
      .slice(0, 1)
  })
}

/** One line for a person: what, whose, where, and what stands around it. */
export const describeLeak = (
  { canary, right, reader, sighting }: Leak,
  oldNames: ReadonlyMap<string, string> = new Map(),
): string => {
  const old = (scope: string) => oldNames.get(scope) ?? scope
  const way = sighting.from === undefined ? sighting.place : `link ${old(sighting.from)} → ${old(sighting.reader)}`
  const folds = sighting.folds.length === 0 ? '' : `, unfolded from ${sighting.folds.join(' in ')}`
  return `${canary.kind} (${canary.what}) of ${old(canary.scope)}, ${right} for ${old(reader)}: ${way}, ${sighting.where}${folds}: ${sighting.around}`
}

/** What of a kind this release sends up by itself or answers when asked, where the policies let it. */
const sentUp: Readonly<Record<string, readonly PolicyKind[]>> = {
  // A report names its site and host.
  'name of a site': ['names', 'reports'],
  'name of a host': ['names', 'reports'],
  'engine of a host, in its report': ['reports'],
  'last line of a failing container': ['logs', 'reports'],
  'output of a command': ['operations', 'reports'],
  'line of a running container': ['logs', 'operations', 'reports'],
  'application of a zone': ['names', 'reports'],
  'image of an application of a zone, in a report': ['reports'],
}

/** What goes to the zone right above and no further. */
const sentOnce: Readonly<Record<string, readonly PolicyKind[]>> = {
  'placement of a deployment of a zone': ['intents', 'changes-author'],
  'signature of a change in a zone': ['intents', 'changes-author'],
}

/** Why a kind has no control of its own. */
const unsent: Readonly<Partial<Record<PolicyKind, string>>> = {
  events: 'nothing sends events in this release: planted in a file of every zone',
  metrics: 'nothing sends metrics in this release: planted in a file of every zone',
  audit: 'nothing sends audit records in this release: planted in a file of every zone',
  blobs:
    'nobody above fetches what was made in a zone: its layers and specifications are searched for, controls go down',
}

interface Pair {
  readonly needle: string
  readonly canary: Canary
  readonly ancestor: ScopePath
  readonly level: Right
}

const pairsOf = (topology: Topology, planted: Planted): readonly Pair[] =>
  planted.flatMap(([needle, canary]) =>
    ancestorsOf(canary.scope).map((ancestor) => ({
      needle,
      canary,
      ancestor,
      level: rightOf(topology, canary, ancestor),
    })),
  )

const isExpected = (topology: Topology, { canary, ancestor }: Pair): boolean => {
  const kinds = sentUp[canary.what] ?? (parentOf(canary.scope) === ancestor ? sentOnce[canary.what] : undefined)
  return kinds?.every((kind) => visibleTo(topology, canary.scope, ancestor, kind) === 'all') ?? false
}

/** Controls that should have been found and were not, for a person. */
export const missedIn = (
  topology: Topology,
  planted: Planted,
  sightings: readonly Sighting[],
): readonly (readonly [canary: Canary, ancestor: ScopePath])[] => {
  const found = foundIn(sightings)
  return pairsOf(topology, planted)
    .filter((pair) => pair.level === 'all' && isExpected(topology, pair))
    .filter(({ needle, ancestor }) => !found.has(`${needle} ${ancestor}`))
    .map(({ canary, ancestor }) => [canary, ancestor])
}

const foundIn = (sightings: readonly Sighting[]): ReadonlySet<string> =>
  new Set(sightings.flatMap(({ needle, reader, place }) => (place === 'calibration' ? [] : [`${needle} ${reader}`])))

/** Rows by kind and level: nothing where it may not be, and controls found where it may. */
export const rowsByKind = (
  topology: Topology,
  planted: Planted,
  sightings: readonly Sighting[],
): readonly TrialRow[] => {
  const leaks = leaksIn(topology, planted, sightings)
  const found = foundIn(sightings)
  const pairs = pairsOf(topology, planted)
  const row = (kind: PolicyKind, level: PolicyLevel): readonly TrialRow[] => {
    const own = pairs.filter((pair) => pair.canary.kind === kind && pair.level === level)
    if (own.length === 0) return []
    const why = unsent[kind]
    if (level !== 'all') {
      const broken = new Set(
        leaks
          .filter(({ canary, right }) => canary.kind === kind && right === level)
          .map(({ sighting, reader }) => `${sighting.needle} ${reader}`),
      ).size
      return [{ what: `${kind} ${level}`, tried: own.length, broken, holds: broken === 0, ...(why && { why }) }]
    }
    const controls = own.filter((pair) => isExpected(topology, pair))
    const missed = controls.filter(({ needle, ancestor }) => !found.has(`${needle} ${ancestor}`)).length
    return [
      {
        what: `${kind} all (found)`,
        tried: controls.length,
        broken: missed,
        holds: missed === 0 && (controls.length > 0 || why !== undefined),
        ...(why && { why }),
      },
    ]
  }
  const strangers = new Set(
    leaks.filter(({ right }) => right === 'stranger').map(({ sighting, reader }) => `${sighting.needle} ${reader}`),
  ).size
  const scopes = zones(topology).flatMap(({ path, sites }) => [path, ...sites.map((site) => site.path)])
  const apart = planted.reduce(
    (sum, [, { scope }]) => sum + scopes.filter((one) => !isWithin(one, scope) && !isWithin(scope, one)).length,
    0,
  )
  return [
    ...policyKinds.flatMap((kind) => policyLevels.flatMap((level) => row(kind, level))),
    { what: 'of zones and sites apart', tried: apart, broken: strangers, holds: strangers === 0 },
  ]
}

const control = (what: string, wanted: readonly string[], isFound: (one: string) => boolean): TrialRow => {
  const broken = wanted.filter((one) => !isFound(one)).length
  return { what, tried: wanted.length, broken, holds: wanted.length > 0 && broken === 0 }
}

/** That the search sees what takes the paths on which things are packed away. */
export const controlRows = (planted: Planted, sightings: readonly Sighting[]): readonly TrialRow[] => {
  const needles = (...whats: readonly string[]) =>
    planted.filter(([, { what }]) => whats.includes(what)).map(([needle]) => needle)
  const seen = (needle: string, is: (sighting: Sighting) => boolean) =>
    sightings.some((sighting) => sighting.needle === needle && is(sighting))
  const onLink = (purpose: string) => (sighting: Sighting) => sighting.place === 'link' && sighting.where === purpose
  return [
    control('found in a change over 1 KiB', needles('label of a site'), (needle) =>
      seen(
        needle,
        (one) => onLink('documents')(one) && one.folds.at(-1) === 'change' && one.pieceBytes > largeChangeBytes,
      ),
    ),
    {
      ...control('found in the same change deflated', needles('label of a site'), (needle) =>
        seen(needle, ({ place, folds }) => place === 'calibration' && folds.includes('deflated change')),
      ),
      why: 'this release sends changes as they are: the search is shown each once more as a peer may pack it',
    },
    control('found in a layer of a blob', needles('file in a layer of the towers'), (needle) =>
      seen(needle, (one) => onLink('blob')(one) && one.folds.includes('gzip')),
    ),
    control('found in a report', needles('engine of a host, in its report'), (needle) =>
      seen(needle, (one) => onLink('reports')(one) && one.folds.includes('base64')),
    ),
    control(
      'found in what goes down',
      needles('environment of an application of the towers', 'application of the towers', 'image of the towers'),
      (needle) => seen(needle, (one) => one.place === 'link'),
    ),
    control('found on disks', needles('name of a host', 'label of a site', 'file in a layer of the towers'), (needle) =>
      seen(needle, ({ place }) => place === 'disk'),
    ),
  ]
}
