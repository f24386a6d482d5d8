import { blockedAt, type Hash, type Owner, readRecord } from '../authority/index.ts'
import type { Book } from '../book/index.ts'
import type { Documents } from '../documents/index.ts'
import { genesisKind, type LaneName, parseLaneName } from '../lane/index.ts'
import { concerns } from './lane-index.ts'
import type { ReplicationPeer } from './replication.ts'
import type { ReplicationGuards } from './replication-guards.ts'

/** One side of a link, where what the peer brings is judged. */
export interface Intake {
  readonly documents: Documents
  readonly book: Book
  readonly hash: Hash
  readonly peer: ReplicationPeer
  readonly guards: ReplicationGuards
  /** Counts a refusal. */
  readonly refuse: (code: string, message: string) => void
  readonly onMissingOwner: ((owner: string) => void) | undefined
}

const mayBring = ({ guards, peer }: Intake, lane: LaneName): boolean =>
  concerns(lane, peer.scope) && guards.mayBring(peer, lane)

/**
 * What became of a genesis; `lacking` when its epoch can be begun only with what is not here, `behind` when the one held
 * goes before it: the peer is to hear of that.
 */
export type GenesisOutcome =
  | { readonly kind: 'done' | 'refused' }
  | { readonly kind: 'behind'; readonly documentId: string }
  | { readonly kind: 'lacking'; readonly documentId: string; readonly genesis: string }

/** A later epoch counts when a key signed it that is not blocked: who was, seals nothing any more. */
const sealersOf = ({ book, guards }: Intake, { keys, scope }: Owner): Owner['keys'] => {
  const trust = book.trust()
  const blocked = trust && blockedAt(trust, scope)
  return new Map([...keys].filter(([key]) => blocked === undefined || guards.maySeal(key, blocked.keys)))
}

/** Takes the first record of an epoch, held against the generation of its owner that the book believes. */
export const takeGenesis = async (intake: Intake, bytes: Uint8Array, base?: Uint8Array): Promise<GenesisOutcome> => {
  const { documents, book, hash, peer, onMissingOwner } = intake
  const refuse = (code: string, message: string): GenesisOutcome => {
    intake.refuse(code, message)
    return { kind: 'refused' }
  }
  const read = readRecord(genesisKind, bytes, { hash })
  if (!read.ok) return refuse(read.refusal.code, read.refusal.message)
  const { body, id } = read.record
  const { document: documentId } = body
  if (documents.epochOf(documentId)?.id === id || documents.pastOf(documentId).some((past) => past.id === id))
    return { kind: 'done' }
  if (!mayBring(intake, parseLaneName(body.lane)))
    return refuse('forbidden', `a peer brought ${body.lane}, which it may not`)
  const owner = book.owner(body.owner)
  if (owner === undefined || body.generation > owner.generation) {
    onMissingOwner?.(body.owner)
    return refuse('unknown-owner', `generation ${body.generation} of the owner of ${body.lane} is not known here`)
  }
  // Begun by an older generation, a lane counts as far as all who write it are on the list of now.
  const beginner =
    body.generation < owner.generation ? { ...owner, generation: body.generation, list: body.list } : owner
  const taken = await documents.takeGenesis(bytes.slice(), beginner, peer.key, {
    ...(base === undefined ? {} : { base }),
    // The first that is heard of a lane may be from before a block; what takes the place of an epoch that is held may not.
    ...(documents.epochOf(documentId) === undefined && body.epoch === 1 ? {} : { sealers: sealersOf(intake, owner) }),
  })
  if (taken.ok) return { kind: 'done' }
  const { code, message } = taken.refusal
  if (code === 'needs-base' || code === 'lacks-changes') return { kind: 'lacking', documentId, genesis: id }
  if (code !== 'superseded') return refuse(code, message)
  // Of two seals of one number the peer learns as the two compare; of a higher generation, or another beginning, it does not.
  const held = documents.epochOf(documentId)
  const isTold = held?.generation === body.generation && held.epoch > 1
  return isTold ? { kind: 'done' } : { kind: 'behind', documentId }
}

/** Takes late changes of a lane: each of a writer of an epoch that is held. */
export const takeLate = async (intake: Intake, documentId: string, envelopes: readonly Uint8Array[]): Promise<void> => {
  const { documents, peer, refuse } = intake
  const epoch = documents.epochOf(documentId)
  if (epoch === undefined)
    return refuse('unknown-document', 'a peer brought late changes of a document that is not held')
  if (!mayBring(intake, epoch.lane))
    return refuse('forbidden', `a peer brought late changes of a ${epoch.lane.kind} lane, which it may not`)
  for (const taken of await documents.takeLate(documentId, envelopes, peer.key)) {
    if (taken.kind === 'refused') refuse(taken.refusal.code, taken.refusal.message)
    if (taken.kind === 'dropped') refuse('dropped', 'a late change was dropped: its author has as many as are kept')
  }
}

/** Takes envelopes of one document. @returns whether something that they stand on is not here */
export const takeEnvelopes = async (
  intake: Intake,
  documentId: string,
  envelopes: readonly Uint8Array[],
): Promise<boolean> => {
  const { documents, peer, refuse } = intake
  const epoch = documents.epochOf(documentId)
  if (epoch === undefined) {
    refuse('unknown-document', 'a peer brought envelopes of a document that is not held')
    return true
  }
  if (!mayBring(intake, epoch.lane)) {
    refuse('forbidden', `a peer brought envelopes of a ${epoch.lane.kind} lane, which it may not`)
    return false
  }
  let lacks = false
  let strayed: { readonly code: string; readonly message: string } | undefined
  for (const taken of await documents.take(documentId, envelopes, peer.key)) {
    if (taken.kind === 'refused' && taken.refusal.code === 'wrong-epoch') strayed = taken.refusal
    else if (taken.kind === 'refused') refuse(taken.refusal.code, taken.refusal.message)
    if (taken.kind === 'dropped') refuse('dropped', 'an envelope was dropped: its author has no room for what waits')
    if (taken.kind !== 'held') continue
    if (taken.status.kind === 'excluded') refuse(taken.status.exclusion.code, taken.status.exclusion.message)
    lacks ||= taken.status.kind === 'parked'
  }
  // Written after a seal that did not come through, or before one that is no longer kept: the two compare.
  if (strayed !== undefined) refuse(strayed.code, strayed.message)
  return lacks || strayed !== undefined
}

/** Takes records that came down. */
export const takeRecords = async (intake: Intake, records: readonly Uint8Array[]): Promise<void> => {
  const { book, guards, peer, refuse } = intake
  if (!guards.mayGive(peer)) return refuse('unasked', 'a peer below brought records')
  // Copies: the book keeps them, and they are part of a message that is much larger.
  for (const result of await book.take(records.map((bytes) => bytes.slice())))
    if (result.kind === 'refused') refuse(result.refusal.code, result.refusal.message)
}
