import { type Hash, readRecord } from '../authority/index.ts'
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

/** Takes the first record of a lane, held against the generation of its owner that the book believes. */
export const takeGenesis = async (intake: Intake, bytes: Uint8Array): Promise<void> => {
  const { documents, book, hash, peer, refuse, onMissingOwner } = intake
  const read = readRecord(genesisKind, bytes, { hash })
  if (!read.ok) return refuse(read.refusal.code, read.refusal.message)
  const { body, id } = read.record
  if (documents.epochOf(body.document)?.id === id) return
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
  const taken = await documents.takeGenesis(bytes.slice(), beginner, peer.key)
  if (!taken.ok) refuse(taken.refusal.code, taken.refusal.message)
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
  for (const taken of await documents.take(documentId, envelopes, peer.key)) {
    if (taken.kind === 'refused') refuse(taken.refusal.code, taken.refusal.message)
    if (taken.kind === 'dropped') refuse('dropped', 'an envelope was dropped: its author has no room for what waits')
    if (taken.kind !== 'held') continue
    if (taken.status.kind === 'excluded') refuse(taken.status.exclusion.code, taken.status.exclusion.message)
    lacks ||= taken.status.kind === 'parked'
  }
  return lacks
}

/** Takes records that came down. */
export const takeRecords = async (intake: Intake, records: readonly Uint8Array[]): Promise<void> => {
  const { book, guards, peer, refuse } = intake
  if (!guards.mayGive(peer)) return refuse('unasked', 'a peer below brought records')
  // Copies: the book keeps them, and they are part of a message that is much larger.
  for (const result of await book.take(records.map((bytes) => bytes.slice())))
    if (result.kind === 'refused') refuse(result.refusal.code, result.refusal.message)
}
