import {
  type AuthorityPowers,
  type Certificate,
  certificateKind,
  type Delegation,
  type DeploymentVersion,
  delegationKind,
  deploymentVersionKind,
  fromHex,
  isSignedBy,
  judgeCertificate,
  type Keys,
  keyIdOf,
  keysOf,
  type Owner,
  readRecord,
  type SignedRecord,
  signersOf,
  type Trust,
  toHex,
} from '../authority/index.ts'
import {
  type BookState,
  delegationSlot,
  deploymentSlot,
  type FoldContext,
  type HeldCertificate,
  type Kept,
  keptAs,
} from './book-state.ts'
import { unblocked } from './fold-owners.ts'
import { type Folded, kept, known, refused } from './folded.ts'

const tenantOf = (trust: Trust, id: string): Owner | undefined => {
  const owner = trust.owners.get(id)
  return owner?.role === 'tenant' && !trust.retired.has(id) ? owner : undefined
}

const isDelegated = (
  record: SignedRecord<Delegation>,
  tenant: Owner,
  trust: Trust,
  powers: AuthorityPowers,
): boolean => {
  const quorum = { keys: unblocked(trust, tenant.keys, tenant.scope), threshold: tenant.threshold }
  return isSignedBy(delegationKind, record, quorum, powers)
}

/** Of two with one number the one that takes back holds, then the lower id: as `mayStart` orders them. */
const outranks = (a: SignedRecord<Delegation>, b: SignedRecord<Delegation>): boolean => {
  if (a.body.number !== b.body.number) return a.body.number > b.body.number
  if (a.body.isGranted !== b.body.isGranted) return b.body.isGranted
  return a.id < b.id
}

export const foldDelegation = (state: BookState, record: SignedRecord<Delegation>, context: FoldContext): Folded => {
  const { trust } = state
  const { body } = record
  const { powers, limits } = context
  const tenant = trust === undefined ? undefined : tenantOf(trust, body.tenant)
  if (trust === undefined || tenant === undefined)
    return refused('unknown-issuer', 'the delegation is of a tenant that is not known here')
  const slot = delegationSlot(tenant.id, keyIdOf(fromHex(body.key), powers.hash))
  const held = state.delegations.get(slot)
  if (held?.id === record.id) return known
  if (body.network !== trust.root.networkId)
    return refused('wrong-network', 'the delegation belongs to another network')
  if (body.generation > tenant.generation)
    return refused(
      'unknown-generation',
      `the delegation names generation ${body.generation} of its tenant: fetch its list`,
    )
  if (!isDelegated(record, tenant, trust, powers))
    return refused('not-enough-signatures', 'the delegation is not signed by the keys its tenant has')
  if (held !== undefined && !outranks(record, held.record) && isDelegated(held.record, tenant, trust, powers))
    return refused(
      'stale',
      `delegation ${body.number} does not replace number ${held.record.body.number} of the same key`,
    )
  if (held === undefined && state.delegations.size >= limits.delegations)
    return refused('full', `the book holds ${limits.delegations} delegations`)
  const one = keptAs(state, 'delegation', record)
  state.delegations.set(slot, one)
  return kept(one, held === undefined ? [] : [held])
}

/** The same powers, but a key that was seen to have signed these bytes is not verified again. */
const verifyingOnce = (held: HeldCertificate, powers: AuthorityPowers): AuthorityPowers => ({
  hash: powers.hash,
  signatures: {
    signer: powers.signatures.signer,
    verify: (publicKey, message, signature) => {
      const key = toHex(publicKey)
      if (held.memo.signedBy === key) return true
      const isSigned = powers.signatures.verify(publicKey, message, signature)
      if (isSigned) held.memo.signedBy = key
      return isSigned
    },
  },
})

/**
 * A held certificate, when it holds under the trust of now: read and judged when it is first asked for, and again only
 * after the trust changed.
 */
export const certificateNow = (
  held: HeldCertificate,
  { trust, revision }: BookState,
  powers: AuthorityPowers,
): SignedRecord<Certificate> | undefined => {
  if (trust === undefined) return undefined
  const { memo } = held
  if (memo.revision === revision) return memo.record
  const read = readRecord(certificateKind, held.bytes, powers)
  const isOwn =
    read.ok &&
    read.record.id === held.id &&
    read.record.body.number === held.number &&
    keyIdOf(fromHex(read.record.body.key), powers.hash) === held.keyId
  const holds = isOwn && judgeCertificate(read.record, trust, new Map(), verifyingOnce(held, powers)).ok
  memo.revision = revision
  memo.record = holds ? read.record : undefined
  return memo.record
}

export const foldCertificate = (state: BookState, record: SignedRecord<Certificate>, context: FoldContext): Folded => {
  const { trust } = state
  const { powers, limits } = context
  const { number, scope, role, key } = record.body
  if (trust === undefined) return refused('unknown-issuer', 'the certificate came before the root document')
  const keyId = keyIdOf(fromHex(key), powers.hash)
  const held = state.certificates.get(keyId)
  if (held?.id === record.id) return known
  const judged = judgeCertificate(record, trust, new Map(), powers)
  if (!judged.ok) return judged
  if (held !== undefined && held.number >= number && certificateNow(held, state, powers) !== undefined)
    return held.number > number
      ? refused('superseded', `certificate ${number} is older than certificate ${held.number} of the same key`)
      : refused('rival', `there are two different certificates ${number} of one key`)
  if (held === undefined && state.certificates.size >= limits.certificates)
    return refused('full', `the book holds ${limits.certificates} certificates`)
  const { taken, ...rest } = keptAs(state, 'certificate', record)
  const memo = { signedBy: undefined, revision: state.revision, record }
  const one: HeldCertificate = {
    kind: 'certificate',
    id: rest.id,
    bytes: rest.bytes,
    taken,
    keyId,
    number,
    scope,
    role,
    memo,
  }
  putCertificate(state, one)
  return kept(one, held === undefined ? [] : [held])
}

/** Puts a certificate in its place, without judging it. */
export const putCertificate = (state: BookState, one: HeldCertificate): void => {
  state.certificates.set(one.keyId, one)
  if (one.role === 'edge') state.carriers.delete(one.keyId)
  else state.carriers.set(one.keyId, one)
}

/** The key a version's signer goes by, as far as it is known here: of the tenant, or one it delegated to. */
const signerKeys = (
  state: BookState,
  tenant: Owner,
  { tenant: id, signer }: DeploymentVersion,
  powers: AuthorityPowers,
): Keys => {
  if (tenant.keys.has(signer)) return tenant.keys
  const delegation = state.delegations.get(delegationSlot(id, signer))
  return keysOf(delegation === undefined ? [] : [delegation.record.body.key], powers.hash)
}

const dropVersion = (state: BookState, one: Kept<DeploymentVersion>): void => {
  const { body } = one.record
  state.versions.delete(one.id)
  state.orders.set(
    deploymentSlot(body),
    (state.orders.get(deploymentSlot(body)) ?? []).filter(({ id }) => id !== one.id),
  )
  state.versionCounts.set(body.tenant, (state.versionCounts.get(body.tenant) ?? 1) - 1)
}

/** Whether it may start is for `mayStart`. A signer whose key is known here must have signed. */
export const foldVersion = (
  state: BookState,
  record: SignedRecord<DeploymentVersion>,
  { powers, limits }: FoldContext,
): Folded => {
  const { trust } = state
  const { body } = record
  const tenant = trust === undefined ? undefined : tenantOf(trust, body.tenant)
  if (trust === undefined || tenant === undefined)
    return refused('unknown-issuer', 'the deployment version is of a tenant that is not known here')
  if (body.network !== trust.root.networkId)
    return refused('wrong-network', 'the deployment version belongs to another network')
  const held = state.versions.get(record.id)
  const keys = signerKeys(state, tenant, body, powers)
  const isSigned = (one: SignedRecord<DeploymentVersion>) =>
    keys.has(body.signer)
      ? signersOf(deploymentVersionKind, one, keys, powers).has(body.signer)
      : one.signatures.some(({ keyId }) => keyId === body.signer)
  // The id does not cover signatures: a relay that spoils them must not keep the good copy out.
  if (
    held !== undefined &&
    (Buffer.compare(held.bytes, record.bytes) === 0 || isSigned(held.record) || !isSigned(record))
  )
    return known
  if (!isSigned(record)) return refused('not-enough-signatures', 'the deployment version is not signed by its signer')
  if (held !== undefined) dropVersion(state, held)
  const slot = deploymentSlot(body)
  const others = state.orders.get(slot) ?? []
  const lowest = others.length < limits.versionsPerDeployment ? undefined : others.at(-1)
  if (lowest !== undefined && lowest.record.body.order >= body.order)
    return refused('stale', `version ${body.order} is older than the ${others.length} kept of its deployment`)
  const count = state.versionCounts.get(body.tenant) ?? 0
  if (lowest === undefined && count >= limits.versionsPerTenant)
    return refused('full', `the book holds ${limits.versionsPerTenant} versions of one tenant: remove deployments`)
  if (lowest !== undefined) dropVersion(state, lowest)
  const one = keptAs(state, 'deployment-version', record)
  const now = [...(state.orders.get(slot) ?? []), one].toSorted(
    (a, b) => b.record.body.order - a.record.body.order || (a.id < b.id ? -1 : 1),
  )
  state.orders.set(slot, now)
  state.versions.set(one.id, one)
  state.versionCounts.set(body.tenant, (state.versionCounts.get(body.tenant) ?? 0) + 1)
  return kept(one, lowest === undefined ? [] : [lowest])
}
