import { createSeededRandom, errorText, silentLog } from '../../../base/index.ts'
import { createDocuments, formatLaneName, type LaneName, nodeHash, type Store } from '../../../crdt/index.ts'
import type { World } from '../../world/index.ts'
import type { MakeChecker } from '../checker.ts'
import { holdersOf, isChange, readPiece, type StoredPiece } from '../lanes.ts'

type Contents = ReadonlyMap<string, Uint8Array>

/** A store that holds what another held at one moment, and takes nothing. */
const frozen = (contents: Contents): Store => {
  const keys = [...contents.keys()].toSorted()
  return {
    open: async () => {},
    close: async () => {},
    get: async (key) => contents.get(key),
    async *scan({ prefix, after, limit = Number.POSITIVE_INFINITY }) {
      const found = keys.filter((key) => key.startsWith(prefix) && (after === undefined || key > after))
      for (const key of found.slice(0, limit)) yield { key, value: contents.get(key) }
    },
    write: async () => {},
  }
}

/** What each lane comes to, read from a copy of a store. */
const statesOf = async (contents: Contents, { signatures }: World, networkId: string) => {
  const documents = createDocuments({
    store: frozen(contents),
    networkId: () => networkId,
    powers: { signatures, hash: nodeHash },
    random: createSeededRandom(0),
    log: silentLog,
  })
  await documents.open()
  const states = new Map<string, string>()
  for (const id of documents.ids()) {
    // What an epoch began with is not what its record names: nobody else reads that.
    const standing = await documents.standing(id).catch((error: unknown) => errorText(error))
    if (typeof standing === 'string') {
      states.set(id, standing)
      continue
    }
    const values = [...standing].map(([key, puts]) => [key, puts.map(({ value }) => value).toSorted()])
    states.set(id, JSON.stringify(values.toSorted()))
  }
  await documents.close()
  return states
}

/** One epoch of a lane as one machine holds it. */
interface HeldEpoch {
  /** Of the record that begins it; empty while that is not here. */
  readonly genesis: string
  /** Hashes of its changes. */
  readonly changes: ReadonlySet<string>
}

/** What of one lane lies on one disk, by number of the epoch: those that were sealed and are kept, and the open one. */
type HeldLane = ReadonlyMap<number, HeldEpoch>

const openOf = (held: HeldLane | undefined): number =>
  Math.max(0, ...[...(held ?? [])].flatMap(([epoch, { genesis }]) => (genesis === '' ? [] : epoch)))

const lackingIn = (own: HeldEpoch | undefined, all: ReadonlySet<string>): number =>
  [...all].filter((hash) => !own?.changes.has(hash)).length

/** What the machine lacks of the epoch that is open elsewhere, and of those that others keep as it does. */
const compareLane = (machine: string, own: HeldLane | undefined, others: readonly HeldLane[]): readonly string[] => {
  const open = Math.max(...others.map(openOf))
  const differ: string[] = []
  for (const epoch of new Set(others.flatMap((held) => [...held.keys()]))) {
    const mine = own?.get(epoch)
    // One that is sealed is kept whole by who was there, and not at all by who came later.
    if (epoch !== open && (mine === undefined || mine.genesis === '')) continue
    const same = others.flatMap((held) => held.get(epoch) ?? []).filter(({ genesis }) => genesis === mine?.genesis)
    const all = new Set(
      (epoch === open ? others.flatMap((held) => held.get(epoch) ?? []) : same).flatMap((one) => [...one.changes]),
    )
    const missing = lackingIn(mine, all)
    if (mine === undefined) differ.push(`${machine} lacks epoch ${epoch} and ${missing} of ${all.size} changes`)
    else if (missing > 0) differ.push(`${machine} lacks ${missing} of ${all.size} changes of epoch ${epoch}`)
    // One that the disk spoiled is kept again when a peer next tells it: until then it says nothing.
    else if (epoch === open && new Set([own, ...others].flatMap((held) => held?.get(epoch)?.genesis || [])).size > 1)
      differ.push(`${machine} holds another seal of epoch ${epoch} than others`)
  }
  return differ
}

/**
 * Once all is healed, whoever is to hold a lane holds the same changes of its open epoch, begun by the same record, and they
 * come to the same; of sealed epochs those who keep one hold the same of it.
 */
export const replicasAgree: MakeChecker = ({ world }) => {
  const lanes = new Map<string, LaneName>()
  /** What begins a lane, by key and bytes: it says the same wherever it lies. */
  const begins = new Map<string, StoredPiece>()
  /** By hash: whoever has it may keep what is no change, and nobody else needs it. */
  const changes = new Map<string, boolean>()
  const counts = (hash: string, bytes: Uint8Array): boolean => {
    const known = changes.get(hash)
    if (known !== undefined) return known
    changes.set(hash, isChange(bytes))
    return isChange(bytes)
  }
  let seen = 0

  const readHeld = (contents: Contents): ReadonlyMap<string, HeldLane> => {
    const held = new Map<string, Map<number, { genesis: string; changes: Set<string> }>>()
    for (const [key, bytes] of contents) {
      const name = key.includes('/g/') ? key + Buffer.from(bytes).toString('latin1') : key
      const piece = begins.get(name) ?? readPiece(key, bytes)
      if (piece === undefined) continue
      const { documentId, epoch } = piece
      const lane = held.get(documentId) ?? new Map<number, { genesis: string; changes: Set<string> }>()
      held.set(documentId, lane)
      const own = lane.get(epoch) ?? { genesis: '', changes: new Set<string>() }
      lane.set(epoch, own)
      if (piece.kind === 'genesis') {
        lanes.set(documentId, piece.lane)
        begins.set(name, piece)
        own.genesis = piece.id
      } else if (counts(piece.hash, bytes)) own.changes.add(piece.hash)
    }
    return held
  }

  const lacking = async (): Promise<readonly string[]> => {
    const down = world.machines.filter((one) => !one.node())
    if (down.length > 0) return down.map(({ place }) => `${place.name} is not up`)
    const stores = new Map<string, Contents>()
    for (const { place, disk } of world.machines) stores.set(place.name, await disk.scan('d/'))
    const held = new Map([...stores].map(([machine, contents]) => [machine, readHeld(contents)] as const))
    const differ: string[] = []
    for (const [documentId, lane] of lanes) {
      const all = [...held.values()].flatMap((lanesOf) => lanesOf.get(documentId) ?? [])
      for (const machine of all.length === 0 ? [] : holdersOf(world, lane)) {
        seen++
        const found = compareLane(machine, held.get(machine)?.get(documentId), all)
        differ.push(...found.map((text) => `${text} of ${formatLaneName(lane)}`))
      }
    }
    return differ.length > 0 ? differ : compareStates(stores)
  }

  const compareStates = async (stores: ReadonlyMap<string, Contents>): Promise<readonly string[]> => {
    const networkId = world.machines.find((one) => one.node())?.node()?.networkId ?? ''
    const first = new Map<string, { readonly machine: string; readonly state: string }>()
    const differ: string[] = []
    for (const [machine, contents] of stores)
      for (const [documentId, state] of await statesOf(contents, world, networkId)) {
        const other = first.get(documentId)
        if (!other) first.set(documentId, { machine, state })
        else if (other.state !== state) {
          const lane = lanes.get(documentId)
          differ.push(`${machine} and ${other.machine} read ${lane ? formatLaneName(lane) : documentId} differently`)
        }
      }
    return differ
  }

  return {
    invariant: 3,
    sentence: 'after faults heal, replicas of a lane hold the same valid envelopes and the same effective state',
    observer: {},
    violations: () => [],
    seen: () => seen,
    lacking,
  }
}
