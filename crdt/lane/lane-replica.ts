import type { AuthorityPowers, Fence } from '../authority/index.ts'
import type { LaneView } from '../effective/index.ts'
import { type Envelope, type EnvelopeRefusal, openEnvelope } from '../envelope/index.ts'
import { type AuthorResult, authorChanges, type LaneWriter } from './author.ts'
import type { Put } from './automerge-codec.ts'
import { type AutomergeDocument, createAutomergeDocument } from './automerge-document.ts'
import type { Epoch } from './genesis.ts'
import { createLaneBase } from './lane-base.ts'
import { createLaneGraph, type LaneGraph, type Received } from './lane-graph.ts'
import { formatLaneName } from './lane-name.ts'
import { holdsEntries, type LaneValue } from './lane-schema.ts'
import type { Parking } from './parking.ts'
import { type LaneState, sortValues, stateHash } from './state-hash.ts'

/** Automerge failed on this document, or does not show what its changes say: nothing of it is read until a rebuild. */
export interface Quarantine {
  readonly code: 'trap' | 'mismatch'
  readonly message: string
}
export type StateResult =
  | { readonly ok: true; readonly state: LaneState }
  | { readonly ok: false; readonly quarantine: Quarantine }

/** What is kept in memory of a lane whose replica is not: what digests cover. */
export interface LaneSummary {
  readonly documentId: string
  readonly epoch: number
  /** Hashes of envelopes, sorted; the id of the genesis while nothing stands on the base of a later epoch. */
  readonly heads: readonly string[]
  readonly fence: Fence
}

export interface ReplicaOptions {
  readonly epoch: Epoch
  readonly powers: AuthorityPowers
  /** The node's one lot. @default room of its own */
  readonly parking?: Parking
  /** What the epoch before came to at the cut; needed in every epoch but the first. */
  readonly base?: LaneState
  /** Makes the live document. @default Automerge; tests hand in one that traps */
  readonly document?: () => AutomergeDocument
}

export interface LaneReplica {
  readonly epoch: Epoch
  /** Takes an opened envelope; the caller has it on disk, or has it again after a crash. */
  receive(envelope: Envelope): Received
  /** Opens bytes from a peer and takes what is good. */
  receiveBytes(bytes: Uint8Array): Received | { readonly kind: 'refused'; readonly refusal: EnvelopeRefusal }
  /** What Automerge merged, held against what the changes say; a trap or a difference quarantines this document. */
  state(): StateResult
  /** The same from what the changes say alone. */
  laneState(): LaneState
  /** What stands under each key, without the document: cheap, and the same. */
  standing(): ReadonlyMap<string, readonly Put[]>
  /** 64 hexadecimal digits; undefined while quarantined. */
  stateHash(): string | undefined
  summary(): LaneSummary
  /**
   * Signs one change that puts these values, after joining heads where there are more than a change may stand on. The
   * envelopes are taken in memory; the caller syncs them to disk before a byte leaves the node, and when that fails
   * drops the replica and writes on only as a new incarnation.
   */
  author(edits: ReadonlyMap<string, LaneValue>, writer: LaneWriter): AuthorResult
  /** Envelopes, equivocations and what does not count. */
  readonly graph: Omit<LaneGraph, 'add' | 'leave'>
  /** Frees the live document; it is made again when it is asked for. Lifts a quarantine. */
  free(): void
  /** Frees the document and gives the parking room back: the replica is no longer used. */
  close(): void
}

const sameValues = (standing: readonly Put[], merged: readonly { id: string | undefined; value: LaneValue }[]) =>
  standing.length === merged.length &&
  standing.every((put) => merged.some(({ id, value }) => value === put.value && (id === undefined || id === put.id)))

/**
 * One lane in one epoch: its envelopes, which of them count, and the document they make.
 * @throws {RangeError} when the epoch has a base and it is not given
 */
export const createLaneReplica = (options: ReplicaOptions): LaneReplica => {
  const { epoch, powers, document = createAutomergeDocument } = options
  if ((epoch.base === null) !== (options.base === undefined))
    throw new RangeError(`epoch ${epoch.epoch} of ${formatLaneName(epoch.lane)} needs what the one before came to`)
  const base = options.base && createLaneBase(epoch.id, options.base, powers.hash)
  const graph = createLaneGraph({
    kind: epoch.lane.kind,
    hash: powers.hash,
    generation: epoch.generation,
    ...(options.parking === undefined ? {} : { parking: options.parking }),
    ...(base === undefined ? {} : { base }),
  })
  let live:
    | { readonly doc: AutomergeDocument; applied: number; readonly of: ReturnType<LaneGraph['state']> }
    | undefined
  let quarantine: Quarantine | undefined

  const free = () => {
    const doc = live?.doc
    live = undefined
    try {
      doc?.free()
    } catch {
      // After a trap there is nothing left to free.
    }
  }

  /** Brings the live document up to what is valid; made anew when changes ceased to count. */
  const materialise = (): AutomergeDocument => {
    const of = graph.state()
    if (live !== undefined && live.of !== of) free()
    if (live === undefined) {
      live = { doc: document(), applied: 0, of }
      if (base !== undefined) live.doc.apply(base.changes)
    }
    const nodes = of.nodes()
    const envelopes = nodes.slice(live.applied).map(({ envelopeHash }) => graph.changeOf(envelopeHash))
    if (envelopes.length > 0) live.doc.apply(envelopes)
    live.applied = nodes.length
    return live.doc
  }

  const read = (): LaneState | Quarantine => {
    const merged = materialise().values()
    const standing = graph.state().standing()
    const agrees =
      merged.size === standing.size && [...standing].every(([key, puts]) => sameValues(puts, merged.get(key) ?? []))
    if (!agrees)
      return {
        code: 'mismatch',
        message: `the document of ${formatLaneName(epoch.lane)} is not what its changes say`,
      }
    const values = [...merged].map(([key, found]) => [key, sortValues(found.map(({ value }) => value))] as const)
    return { lane: epoch.lane, values: new Map(values), fence: graph.state().fence() }
  }

  const state = (): StateResult => {
    if (quarantine !== undefined) return { ok: false, quarantine }
    try {
      const found = read()
      if (!('code' in found)) return { ok: true, state: found }
      quarantine = found
    } catch (error) {
      const message = `Automerge failed on ${formatLaneName(epoch.lane)}: ${error instanceof Error ? error.message : error}`
      quarantine = { code: 'trap', message }
    }
    free()
    return { ok: false, quarantine }
  }

  return {
    epoch,
    graph,
    receive: graph.add,
    receiveBytes: (bytes) => {
      const opened = openEnvelope(bytes, epoch.place, powers)
      return opened.ok ? graph.add(opened.envelope) : { kind: 'refused', refusal: opened.refusal }
    },
    state,
    laneState: () => {
      const values = [...graph.state().standing()].map(
        ([key, puts]) => [key, sortValues(puts.map(({ value }) => value))] as const,
      )
      return { lane: epoch.lane, values: new Map(values), fence: graph.state().fence() }
    },
    standing: () => graph.state().standing(),
    stateHash: () => {
      const found = state()
      return found.ok ? stateHash(found.state, powers.hash) : undefined
    },
    summary: () => ({
      documentId: epoch.documentId,
      epoch: epoch.epoch,
      heads: graph
        .state()
        .heads()
        .map(({ envelopeHash }) => envelopeHash),
      fence: graph.state().fence(),
    }),
    author: (edits, writer) => authorChanges({ epoch, graph, powers }, edits, writer),
    free: () => {
      free()
      quarantine = undefined
    },
    close: () => {
      free()
      graph.leave()
    },
  }
}

/**
 * What `effective` reads of a replica of an `intent` or `local` lane; undefined for other lanes.
 * @param opaqueIds ids handed out for decisions of this lane. @default none
 */
export const laneViewOf = (
  { epoch: { lane } }: Pick<LaneReplica, 'epoch'>,
  standing: ReadonlyMap<string, readonly Put[]>,
  opaqueIds?: ReadonlyMap<string, string>,
): LaneView | undefined => {
  if (!holdsEntries(lane.kind)) return undefined
  const entries = [...standing].map(([key, puts]) => [key, puts.flatMap(({ entry }) => entry ?? [])] as const)
  return {
    lane: formatLaneName(lane),
    voice: lane.kind === 'local' ? 'local' : 'intent',
    entries: new Map(entries),
    ...(opaqueIds === undefined ? {} : { opaqueIds }),
  }
}
