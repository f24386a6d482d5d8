import { createSeededRandom, errorText, silentLog } from '../../../base/index.ts'
import {
  createDocuments,
  type Documents,
  formatLaneName,
  type LaneName,
  nodeHash,
  type Store,
} from '../../../crdt/index.ts'
import type { World } from '../../world/index.ts'
import type { MakeChecker } from '../checker.ts'
import { holdersOf, readPiece, readTail, type StoredPiece, scanStored } from '../lanes.ts'
import { compareLane, type HeldEpoch, type HeldLane } from './compare-lane.ts'

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

/** What a lane comes to, as text. */
interface LaneState {
  readonly standing: string
  /** Of what counts: two that name the same hold the same valid changes. */
  readonly heads: string
}

const textOf = (standing: Awaited<ReturnType<Documents['standing']>>): string =>
  JSON.stringify([...standing].map(([key, puts]) => [key, puts.map(({ value }) => value).toSorted()]).toSorted())

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
  const states = new Map<string, LaneState>()
  for (const id of documents.ids()) {
    // What an epoch began with is not what its record names: nobody else reads that.
    const standing = await documents.standing(id).then(textOf).catch(errorText)
    states.set(id, { standing, heads: String(documents.summaryOf(id)?.heads) })
  }
  await documents.close()
  return states
}

const newEpoch = () => ({ genesis: '', changes: new Set<string>(), late: new Set<string>() }) satisfies HeldEpoch

const readLate = (key: string, bytes: Uint8Array) => {
  const tail = bytes.length === 0 ? undefined : readTail(key)
  return tail?.kind === 'late' ? { ...tail, kind: 'late' as const } : undefined
}

/**
 * Once all is healed, whoever is to hold a lane holds the same changes of its open epoch, begun by the same record, and they
 * come to the same; what waits in vain may lie in the epoch or not. Of sealed epochs those who keep one hold the same of it.
 */
export const replicasAgree: MakeChecker = ({ world }) => {
  const lanes = new Map<string, LaneName>()
  /** What begins a lane, by key and bytes: it says the same wherever it lies. */
  const begins = new Map<string, StoredPiece>()
  /** By hash of the envelope. */
  const standsOn = new Map<string, { readonly change: string; readonly deps: readonly string[] }>()
  /** Whoever has it may keep what is no change, and nobody else needs it. */
  const noChange = new Set<string>()
  const counts = (hash: string, bytes: Uint8Array): boolean => {
    if (standsOn.has(hash)) return true
    const scanned = noChange.has(hash) ? undefined : scanStored(bytes)
    if (scanned?.ok !== true) noChange.add(hash)
    else standsOn.set(hash, { change: scanned.header.hash, deps: scanned.header.deps })
    return scanned?.ok === true
  }
  let seen = 0

  const readHeld = (contents: Contents): ReadonlyMap<string, HeldLane> => {
    const held = new Map<string, Map<number, ReturnType<typeof newEpoch>>>()
    for (const [key, bytes] of contents) {
      const name = key.includes('/g/') ? key + Buffer.from(bytes).toString('latin1') : key
      const piece = begins.get(name) ?? readPiece(key, bytes) ?? readLate(key, bytes)
      if (piece === undefined) continue
      const { documentId, epoch } = piece
      const lane = held.get(documentId) ?? new Map<number, ReturnType<typeof newEpoch>>()
      held.set(documentId, lane)
      const own = lane.get(epoch) ?? newEpoch()
      lane.set(epoch, own)
      if (piece.kind === 'late') own.late.add(piece.of)
      else if (piece.kind === 'genesis') {
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
        const found = compareLane(machine, held.get(machine)?.get(documentId), all, standsOn)
        differ.push(...found.map((text) => `${text} of ${formatLaneName(lane)}`))
      }
    }
    return differ.length > 0 ? differ : compareStates(stores)
  }

  const compareStates = async (stores: ReadonlyMap<string, Contents>): Promise<readonly string[]> => {
    const networkId = world.machines.find((one) => one.node())?.node()?.networkId ?? ''
    const first = new Map<string, LaneState & { readonly machine: string }>()
    const differ: string[] = []
    for (const [machine, contents] of stores)
      for (const [documentId, state] of await statesOf(contents, world, networkId)) {
        const other = first.get(documentId)
        const lane = lanes.get(documentId)
        const name = lane ? formatLaneName(lane) : documentId
        const holders = lane ? holdersOf(world, lane) : []
        if (!other) first.set(documentId, { machine, ...state })
        else if (other.standing !== state.standing)
          differ.push(`${machine} and ${other.machine} read ${name} differently`)
        else if (other.heads !== state.heads && [machine, other.machine].every((one) => holders.includes(one)))
          differ.push(`of what ${machine} and ${other.machine} hold of ${name} other changes count`)
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
