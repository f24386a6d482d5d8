import type { Hash } from '../authority/index.ts'
import type { Book } from '../book/index.ts'
import type { Documents } from '../documents/index.ts'
import type { LaneName } from '../lane/index.ts'
import { replicationGuards } from './replication-guards.ts'
import { type Intake, takeEnvelopes, takeGenesis, takeRecords } from './take-from-peer.ts'

/** One lane of a bundle. */
export interface BundleLane {
  readonly document: string
  readonly genesis: Uint8Array
  /** What its epoch begins with, when that is not the first. */
  readonly base?: Uint8Array
  readonly envelopes: readonly Uint8Array[]
}

export interface BundleTaker {
  readonly documents: Documents
  readonly book: Book
  readonly hash: Hash
  /** Names who brought it, in changes and logs. */
  readonly from: string
  /** The scope it is for. */
  readonly scope: string
  /** Whether a lane may come in this way: anything else is refused. */
  readonly mayBring: (lane: LaneName) => boolean
  readonly refuse: (code: string, message: string) => void
}

/**
 * Takes records and lanes that came in one piece, each judged as if a parent had brought it on a link: who carried them is
 * trusted with nothing.
 * @returns whether something of them stands on what is not here
 */
export const takeBundle = async (
  { documents, book, hash, from, scope, mayBring, refuse }: BundleTaker,
  { records, lanes }: { readonly records: readonly Uint8Array[]; readonly lanes: readonly BundleLane[] },
): Promise<boolean> => {
  const peer = { key: from, scope, mayRead: () => false, mayBring, recordsFor: undefined }
  const intake: Intake = { documents, book, hash, peer, guards: replicationGuards, refuse, onMissingOwner: undefined }
  await takeRecords(intake, records)
  let lacks = false
  for (const { document, genesis, base, envelopes } of lanes) {
    const outcome = await takeGenesis(intake, genesis, base)
    lacks ||= outcome.kind === 'lacking'
    lacks = (await takeEnvelopes(intake, document, envelopes)) || lacks
  }
  return lacks
}
