import type { ScopePath } from '../../base/index.ts'
import { type Blocked, withoutBlocked } from './block-list.ts'
import type { May } from './certificate.ts'
import { type Delegation, delegationKind } from './delegation.ts'
import { type DeploymentVersion, deploymentVersionKind } from './deployment-version.ts'
import type { Owner } from './key-list.ts'
import type { Lane } from './lane.ts'
import { mayWrite } from './may-write.ts'
import { isSignedBy, keysOf, type SignedRecord, signersOf } from './record.ts'
import { type Refused, refuse } from './refusal.ts'
import { isWithin } from './scope.ts'
import { type AuthorityPowers, fromHex, type KeyId, keyIdOf } from './signatures.ts'

/** *What*: a deployment version and what makes its signer count. */
export interface VersionChain {
  readonly version: SignedRecord<DeploymentVersion>
  /** The newest generation of the tenant's authority. */
  readonly tenant: Owner | undefined
  /** Delegations of that tenant to the signer, all that are known. */
  readonly delegations: readonly SignedRecord<Delegation>[]
}

/** *When*: an entry of a lane that reaches the site, valid in its epoch. */
export interface EntryChain {
  /** An intent of the site, or its local lane. */
  readonly lane: Lane
  /** Who signed the envelope of the entry. */
  readonly author: KeyId
  /** The newest generation of the lane's owner. */
  readonly owner: Owner | undefined
  /** The id of the version the entry names. */
  readonly version: string
}

/** Versions this site accepted, by signer and deployment: the highest order and its record. */
export type AcceptedVersions = ReadonlyMap<string, { readonly order: number; readonly id: string }>

/** What an edge asks of a version before it starts it. Proofs leave one out to see what it stops. */
export const startGuards = ['entitled', 'not-older'] as const
export type StartGuard = (typeof startGuards)[number]

export interface StartContext {
  readonly networkId: string
  readonly site: ScopePath
  /** `blockedAt` the site. */
  readonly blocked: Blocked
  readonly accepted: AcceptedVersions
  /** @default all; a proof takes one out */
  readonly guards?: ReadonlySet<StartGuard> | undefined
}

const asks = ({ guards }: StartContext, guard: StartGuard): boolean => guards?.has(guard) ?? true

/** The key of `AcceptedVersions`: orders count per signer and deployment. */
export const acceptedKey = ({ signer, deployment }: Pick<DeploymentVersion, 'signer' | 'deployment'>): string =>
  `${signer} ${deployment}`

/** The signer's own delegation that holds now; the highest number does, and one that takes it back leaves none. */
const delegationOf = (
  { delegations, version }: VersionChain,
  tenant: Owner,
  { networkId, blocked }: StartContext,
  powers: AuthorityPowers,
): Delegation | undefined => {
  const quorum = { keys: withoutBlocked(tenant.keys, blocked), threshold: tenant.threshold }
  const own = delegations.filter(
    (record) =>
      record.body.network === networkId &&
      record.body.tenant === tenant.id &&
      record.body.generation <= tenant.generation &&
      keyIdOf(fromHex(record.body.key), powers.hash) === version.body.signer &&
      isSignedBy(delegationKind, record, quorum, powers),
  )
  // Of two with one number the one that takes back comes first, then the lower id: never the order they came in.
  const [highest] = own.toSorted(
    (a, b) =>
      b.body.number - a.body.number || Number(a.body.isGranted) - Number(b.body.isGranted) || (a.id < b.id ? -1 : 1),
  )
  return highest?.body.isGranted === true ? highest.body : undefined
}

/** Whether the tenant's authority, or a key it delegated to for this site's scope, signed the version. */
const judgeVersion = (chain: VersionChain, context: StartContext, powers: AuthorityPowers): May => {
  const { version, tenant } = chain
  const { networkId, site, blocked } = context
  const { body } = version
  if (body.network !== networkId) return refuse('wrong-network', 'the deployment version belongs to another network')
  if (tenant === undefined || tenant.role !== 'tenant' || tenant.id !== body.tenant)
    return refuse('unknown-issuer', 'the authority of the tenant is not known here')
  if (blocked.tenants.has(tenant.id) || blocked.keys.has(body.signer))
    return refuse('blocked', 'the tenant or the signer of the deployment version is blocked')
  if (!asks(context, 'entitled')) return { ok: true }
  const isTenant = tenant.keys.has(body.signer)
  const delegation = isTenant ? undefined : delegationOf(chain, tenant, context, powers)
  if (!isTenant && delegation === undefined)
    return refuse('not-entitled', 'the signer of the deployment version has no delegation of the tenant')
  if (delegation !== undefined && !isWithin(site, delegation.scope))
    return refuse('out-of-scope', `the signer of the deployment version may sign for sites of ${delegation.scope} only`)
  const keys = delegation === undefined ? tenant.keys : keysOf([delegation.key], powers.hash)
  return signersOf(deploymentVersionKind, version, keys, powers).has(body.signer)
    ? { ok: true }
    : refuse('not-enough-signatures', 'the deployment version is not signed by its signer')
}

const judgeEntry = (entry: EntryChain, version: SignedRecord<DeploymentVersion>, context: StartContext): May => {
  const { lane, author, owner } = entry
  if (entry.version !== version.id) return refuse('wrong-version', 'the entry names another deployment version')
  const isOfSite = (lane.kind === 'intent' || lane.kind === 'local') && lane.scope === context.site
  if (!isOfSite || lane.tenant !== version.body.tenant)
    return refuse('out-of-scope', 'the entry is of another site or tenant, or of no lane that starts anything')
  return mayWrite(author, lane, { owner, blocked: context.blocked, isClosed: false })
}

/**
 * Whether an edge may start what an entry names: both chains hold, and the signer did not go back. A stolen aggregator
 * without a delegation has no *what*, one with a delegation only for sites inside its scope.
 */
export const mayStart = (
  what: VersionChain,
  when: EntryChain,
  context: StartContext,
  powers: AuthorityPowers,
): May | Refused => {
  const version = judgeVersion(what, context, powers)
  if (!version.ok) return version
  const entry = judgeEntry(when, what.version, context)
  if (!entry.ok) return entry
  const { body, id } = what.version
  const last = context.accepted.get(acceptedKey(body))
  if (last !== undefined && body.order < last.order && asks(context, 'not-older'))
    return refuse('stale', `the version is number ${body.order} of its signer, after number ${last.order} was accepted`)
  if (last !== undefined && body.order === last.order && id !== last.id)
    return refuse('rival', `the signer made two different versions with number ${body.order}`)
  return { ok: true }
}
