import type { Clock, Log } from '../../base/index.ts'
import type { AuthorityPowers, OwnerId } from '../authority/index.ts'
import type { Book } from '../book/index.ts'
import type { Documents } from '../documents/index.ts'
import { envelopeMessages } from './answers.ts'
import { createLaneIndex } from './lane-index.ts'
import type { Replicator } from './replication.ts'
import { type ReplicationGuards, replicationGuards } from './replication-guards.ts'
import { type ReplicationLimits, replicationLimits } from './replication-limits.ts'
import { createSession } from './session.ts'
import { createSessionIndex } from './session-index.ts'

export interface ReplicatorOptions {
  /** Open. */
  readonly documents: Documents
  /** Open. */
  readonly book: Book
  readonly powers: AuthorityPowers
  readonly clock: Clock
  readonly log: Log
  /** Told of an owner that a lane names and the book does not know, or not in that generation. */
  readonly onMissingOwner?: (owner: OwnerId) => void
  /** @default replicationLimits */
  readonly limits?: ReplicationLimits
  /** @default replicationGuards; tests take one out to show what it stops */
  readonly guards?: ReplicationGuards
}

/** Lives as long as the documents and the book it is given. */
export const createReplicator = (options: ReplicatorOptions): Replicator => {
  const { documents, book, powers, clock, log, limits = replicationLimits, guards = replicationGuards } = options
  const lanes = createLaneIndex(documents)
  const sessions = createSessionIndex()
  const noted = new Set<string>()

  const noteOf = (key: string) => (code: string, message: string) => {
    const name = `${key} ${code}`
    if (noted.has(name)) return
    if (noted.size >= limits.notedLines) noted.clear()
    noted.add(name)
    log.warn(message, { peer: key, code })
  }

  documents.onChange((change) => {
    lanes.put(change.documentId)
    let encoded: readonly Uint8Array[] | undefined
    const messages = () => {
      const bytes = change.envelopes.map((envelope) => envelope.bytes)
      encoded ??= envelopeMessages(change.documentId, bytes, limits)
      return encoded
    }
    const lane = documents.epochOf(change.documentId)?.lane
    if (lane !== undefined) for (const session of sessions.about(lane)) session.changed(change, messages)
  })
  book.onChange((records) => {
    for (const session of sessions.all()) session.recordsChanged(records)
  })

  return {
    serve: (link, peer) => {
      const session = createSession({
        link,
        peer,
        documents,
        book,
        powers,
        clock,
        log,
        lanes,
        limits,
        guards,
        note: noteOf(peer.key),
        onMissingOwner: options.onMissingOwner,
        onEnded: () => sessions.delete(peer.scope, session),
      })
      sessions.add(peer.scope, session)
      return session
    },
    refresh: () => {
      for (const session of sessions.all()) session.meetAgain()
    },
  }
}
