import * as z from 'zod'
import { count, hash, ownerId, record } from './fields.ts'
import type { Owner, OwnerId } from './key-list.ts'
import { isSignedBy, type Quorum, type RecordKind, type SignedRecord } from './record.ts'
import type { AuthorityPowers } from './signatures.ts'

/** What a parent scope says of a generation it did not make: it can stop working with it, not put another in its place. */
export interface Verdict {
  readonly kind: 'verdict'
  readonly network: string
  readonly owner: OwnerId
  readonly generation: number
  /** The id of the key list it is about. */
  readonly list: string
  readonly verdict: 'refused' | 'retired'
}

export const verdictKind: RecordKind<Verdict> = {
  kind: 'verdict',
  schema: record({
    kind: z.literal('verdict'),
    network: hash,
    owner: ownerId,
    generation: count,
    list: hash,
    verdict: z.enum(['refused', 'retired']),
  }),
}

/**
 * How an owner stands with its parent scope. `retired` closes the id for ever, whatever generation it names; `refused` is
 * about one list alone.
 */
export const standingOf = (
  owner: Owner,
  verdicts: readonly SignedRecord<Verdict>[],
  { networkId, parent }: { readonly networkId: string; readonly parent: Quorum },
  powers: AuthorityPowers,
): 'countersigned' | 'open' | 'refused' | 'retired' => {
  const said = verdicts.filter(
    (record) =>
      record.body.network === networkId &&
      record.body.owner === owner.id &&
      isSignedBy(verdictKind, record, parent, powers),
  )
  if (said.some(({ body }) => body.verdict === 'retired')) return 'retired'
  if (said.some(({ body }) => body.list === owner.list)) return 'refused'
  return owner.isCountersigned ? 'countersigned' : 'open'
}
