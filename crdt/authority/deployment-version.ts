import * as z from 'zod'
import { namePattern } from '../../base/index.ts'
import { count, hash, ownerId, record, shortId, sorted } from './fields.ts'
import type { OwnerId } from './key-list.ts'
import type { RecordKind } from './record.ts'
import type { KeyId } from './signatures.ts'

/** *What* may run: one immutable signed state of a deployment (DESIGN.md section 3, rule 5). */
export interface DeploymentVersion {
  readonly kind: 'deployment-version'
  readonly network: string
  readonly tenant: OwnerId
  readonly application: string
  readonly deployment: string
  /** What people call the deployment: a label, which goes where the deployment goes. */
  readonly name: string
  /** The one key whose signature counts: the tenant's, or one it delegated to. */
  readonly signer: KeyId
  /** Counts the signer's versions of this deployment. A rollback is a new version that names the old revision. */
  readonly order: number
  /** 64 hexadecimal digits: the hash of the application's specification. */
  readonly revision: string
  /** A label expression; empty means nowhere but where an entry is written by hand. */
  readonly placement: string
  /** Names of the secrets it may use. */
  readonly secrets: readonly string[]
}

export const deploymentVersionKind: RecordKind<DeploymentVersion> = {
  kind: 'deployment-version',
  schema: record({
    kind: z.literal('deployment-version'),
    network: hash,
    tenant: ownerId,
    application: shortId,
    deployment: shortId,
    name: z.string().regex(namePattern),
    signer: hash,
    order: count,
    revision: hash,
    placement: z.string().max(4_096),
    secrets: sorted(z.string().min(1).max(253), 64),
  }),
}
