import { errorText, type Log, type ScopePath } from '../base/index.ts'
import type { Documents, LaneName } from '../crdt/index.ts'
import {
  narrowPolicy,
  type PolicyKind,
  policyKinds,
  type Topology,
  withPolicies,
  type ZonePolicy,
  zoneAt,
} from '../topologies/index.ts'
import { createRounds } from './rounds.ts'
import { ownLaneOf, readNarrowings, readOwnLane, type WrittenLevels } from './services/membership/index.ts'

/** What holds of one zone, and how it came to that. */
interface ZoneNow {
  readonly policy: ZonePolicy
  /** What the zone above says, as it stands in its lane. */
  readonly narrowing: WrittenLevels
  /** Kinds it would have let out more of. */
  readonly refused: readonly PolicyKind[]
}

/** What may leave zones now: what each says itself, tightened by what the zone above says. */
export interface ZonePolicies {
  /** This node's slice with the policies that hold now; undefined where it has none. */
  tree(): Topology | undefined
  /** What may leave this node's zone now. */
  own(): ZonePolicy | undefined
  /** What stands in the lane of the zone above; nothing where it says nothing. */
  narrowingOf(scope: string): WrittenLevels
  /** How what holds came to be, for a person. */
  notes(scope: string): readonly string[]
  /** Reads the lanes. Afterwards they are followed. */
  start(): Promise<void>
}

export interface ZonePoliciesOptions {
  readonly scope: ScopePath
  readonly topology: Topology | undefined
  readonly documents: Documents
  readonly log: Log
  /** Told after something else holds than before. */
  readonly onChange: () => void
}

const parentLane = (scope: ScopePath): LaneName => ({ kind: 'zone', scope, side: 'parent' })

const tightest = (policy: ZonePolicy, all: readonly WrittenLevels[]): ZonePolicy =>
  all.reduce<ZonePolicy>((now, levels) => narrowPolicy(now, levels).policy, policy)

export const createZonePolicies = ({
  scope,
  topology,
  documents,
  log,
  onChange,
}: ZonePoliciesOptions): ZonePolicies => {
  const zone = topology === undefined ? undefined : zoneAt(topology, scope)
  // Of other zones nobody tells this node: there the file holds.
  const followed = zone === undefined ? [] : [...(scope === '/' ? [] : [zone]), ...zone.zones]
  const now = new Map<string, ZoneNow>()
  let tree = topology
  let warned = ''

  const standingOf = async (lane: LaneName) => {
    const id = documents.idOf(lane)
    return id === undefined ? new Map() : documents.standing(id)
  }

  const read = async ({ path, policy: file }: (typeof followed)[number]): Promise<ZoneNow> => {
    // The zone itself goes by its file: its lane is what it made of that.
    const own = path === scope ? [] : readOwnLane(await standingOf(ownLaneOf(path))).policies
    const said = tightest(file, own)
    const narrowings = readNarrowings(await standingOf(parentLane(path)))
    const refused = policyKinds.filter((kind) =>
      narrowings.some((one) => narrowPolicy(said, one).refused.includes(kind)),
    )
    return { policy: tightest(said, narrowings), narrowing: Object.assign({}, ...narrowings), refused }
  }

  const refresh = async (): Promise<void> => {
    for (const one of followed) now.set(one.path, await read(one))
    const policies = new Map([...now].map(([path, { policy }]) => [path, policy]))
    const next = topology === undefined ? undefined : withPolicies(topology, policies)
    const refused = [...now].flatMap(([path, one]) =>
      one.refused.length === 0 ? [] : [`${path} ${one.refused.join()}`],
    )
    if (refused.length > 0 && refused.join('; ') !== warned)
      log.warn('the zone above would let out more than the zone does: refused', { refused: refused.join('; ') })
    warned = refused.join('; ')
    const isSame = JSON.stringify(next) === JSON.stringify(tree)
    tree = next
    if (!isSame) onChange()
  }
  const round = createRounds(() =>
    refresh().catch((error: unknown) => log.error('policies of zones could not be read', { error: errorText(error) })),
  )

  return {
    tree: () => tree,
    own: () => (tree === undefined ? undefined : zoneAt(tree, scope)?.policy),
    narrowingOf: (path) => now.get(path)?.narrowing ?? {},
    notes: (path) => {
      const one = now.get(path)
      const file = topology === undefined ? undefined : zoneAt(topology, path)?.policy
      if (one === undefined || file === undefined) return []
      const narrowed = policyKinds.filter((kind) => one.policy[kind] !== file[kind])
      return [
        ...(narrowed.length === 0
          ? []
          : [
              `Narrowed below what the file says: ${narrowed.map((kind) => `${kind} ${one.policy[kind]} (not ${file[kind]})`).join(', ')}.`,
            ]),
        ...one.refused.map(
          (kind) =>
            `The zone above would let out ${kind}: ${one.narrowing[kind]}; refused, ${path} lets out ${one.policy[kind]}.`,
        ),
      ]
    },
    start: async () => {
      if (followed.length === 0) return
      documents.onChange(({ documentId }) => {
        const lane = documents.epochOf(documentId)?.lane
        if (lane?.kind === 'zone' && followed.some(({ path }) => path === lane.scope)) void round()
      })
      await round()
    },
  }
}
