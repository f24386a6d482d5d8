import * as z from 'zod'
import { count, hash, ownerId, publicKey, record, shortId } from './fields.ts'
import type { OwnerId } from './key-list.ts'
import type { RecordKind } from './record.ts'

/** What a parent signs of sealed bytes that it leaves with a sibling of their reader (DESIGN.md section 3). */
export interface Deposit {
  readonly kind: 'deposit'
  readonly network: string
  /** Of the zone the reader and the sibling are of. */
  readonly zone: OwnerId
  /** The id of the reader's site. */
  readonly site: string
  /** The public key of the host that can open it: its identity on links, not the one that was sealed to. */
  readonly reader: string
  /** Counts what one key signed for one reader: the highest holds. */
  readonly number: number
  /** SHA-256 of the sealed bytes. */
  readonly sealed: string
}

export const depositKind: RecordKind<Deposit> = {
  kind: 'deposit',
  schema: record({
    kind: z.literal('deposit'),
    network: hash,
    zone: ownerId,
    site: shortId,
    reader: publicKey,
    number: count,
    sealed: hash,
  }),
}
