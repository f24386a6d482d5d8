import { createSeededRandom, silentLog } from '../../../base/index.ts'
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
    const standing = await documents.standing(id)
    const values = [...standing].map(([key, puts]) => [key, puts.map(({ value }) => value).toSorted()])
    states.set(id, JSON.stringify(values.toSorted()))
  }
  await documents.close()
  return states
}

/** Once all is healed, whoever is to hold a lane holds the same changes, and they come to the same. */
export const replicasAgree: MakeChecker = ({ world }) => {
  const lanes = new Map<string, LaneName>()
  /** What begins a lane, by its key: it says the same wherever it lies. */
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

  const lacking = async (): Promise<readonly string[]> => {
    const down = world.machines.filter((one) => !one.node())
    if (down.length > 0) return down.map(({ place }) => `${place.name} is not up`)
    const stores = new Map<string, Contents>()
    for (const { place, disk } of world.machines) stores.set(place.name, await disk.scan('d/'))
    const held = new Map<string, Map<string, Set<string>>>()
    for (const [machine, contents] of stores)
      for (const [key, bytes] of contents) {
        const piece = begins.get(key) ?? readPiece(key, bytes)
        if (piece === undefined) continue
        if (piece.kind === 'genesis') {
          lanes.set(piece.documentId, piece.lane)
          begins.set(key, piece)
        }
        const holders = held.get(piece.documentId) ?? new Map<string, Set<string>>()
        held.set(piece.documentId, holders)
        const hashes = holders.get(machine) ?? new Set<string>()
        holders.set(machine, hashes)
        if (piece.kind === 'envelope' && counts(piece.hash, bytes)) hashes.add(piece.hash)
      }
    const differ: string[] = []
    for (const [documentId, lane] of lanes) {
      const holders = held.get(documentId)
      const all = new Set([...(holders?.values() ?? [])].flatMap((hashes) => [...hashes]))
      for (const machine of holdersOf(world, lane)) {
        seen++
        const missing = all.size - (holders?.get(machine)?.size ?? -1)
        if (missing > 0) differ.push(`${machine} lacks ${missing} of ${all.size} changes of ${formatLaneName(lane)}`)
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
