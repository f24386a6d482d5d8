import * as z from 'zod'
import { count, hash, ownerId, publicKey, record, scopePath } from './fields.ts'
import type { OwnerId } from './key-list.ts'
import type { RecordKind } from './record.ts'

/** A tenant's authority lets one key of a scope sign deployment versions, for sites of that scope only. */
export interface Delegation {
  readonly kind: 'delegation'
  readonly network: string
  readonly tenant: OwnerId
  /** Of the tenant's authority when it signed. */
  readonly generation: number
  /** The public key that may sign. */
  readonly key: string
  readonly scope: string
  /** Counts the delegations of one tenant to one key: the highest holds. */
  readonly number: number
  /** False takes the delegation back. */
  readonly isGranted: boolean
}

export const delegationKind: RecordKind<Delegation> = {
  kind: 'delegation',
  schema: record({
    kind: z.literal('delegation'),
    network: hash,
    tenant: ownerId,
    generation: count,
    key: publicKey,
    scope: scopePath,
    number: count,
    isGranted: z.boolean(),
  }),
}
