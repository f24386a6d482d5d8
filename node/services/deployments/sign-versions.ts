import { type Random, randomHex } from '../../../base/index.ts'
import {
  type AuthorityPowers,
  type DeploymentVersion,
  deploymentVersionKind,
  formatEntry,
  type LaneView,
  parseEntry,
  type ReadEntry,
  replacingEntry,
  type SignedRecord,
  type Signer,
  sealRecord,
} from '../../../crdt/index.ts'
import { deployedRevision } from './intent.ts'
import { byName, type Placement } from './placement.ts'
import type { Decision, TenantConfig } from './tenant-config.ts'

/** One deployment whose last decision no longer says what the configuration says. */
export type VersionStep =
  | {
      readonly kind: 'retire'
      readonly deployment: string
      readonly application: string
      readonly order: number
    }
  | {
      readonly kind: 'sign'
      readonly deployment: string
      readonly application: string
      /** What people call the deployment. */
      readonly name: string
      readonly order: number
      readonly revision: string
      readonly placement: string
    }

/** What `all-sites` is in a signed version: every site at the edge, not the towers' own. */
export const allSites = 'system/type = edge'

/** The label expression of a placement. */
export const placementExpression = (placement: Placement): string => placement['match-site-labels'] ?? allSites

/**
 * What is to be signed so that the decisions say what the configuration says; nothing when they do. A deployment whose
 * version is not held changes nothing, and only one that was removed is retired. Retirements come first, then new
 * versions, each by the id of the deployment.
 * @param version a signed version by the id of its record; undefined for one that is not here or counts no longer, which
 *   is signed anew
 */
export const planVersions = (
  config: TenantConfig,
  version: (id: string) => DeploymentVersion | undefined,
): readonly VersionStep[] => {
  const applications = new Map([...config.applications.values()].map((one) => [one.name, one]))
  const retired = [...config.decisions.values()]
    .filter((decision) => decision.version !== null && config.removed.has(decision.deployment))
    .map(({ deployment, application, order }): VersionStep => ({ kind: 'retire', deployment, application, order }))
  const signed = [...config.deployments.values()].flatMap((held): readonly VersionStep[] => {
    const application = applications.get(held.spec.application)
    const revision = deployedRevision(held, application)?.revision
    if (application === undefined || revision === undefined) return []
    const last = config.decisions.get(held.id)
    const before = last?.version == null ? undefined : version(last.version)
    const { name } = held.spec
    const placement = placementExpression(held.spec.placement)
    const wanted = { application: application.id, name, revision, placement }
    const isSaid =
      before?.application === wanted.application &&
      before.name === name &&
      before.revision === revision &&
      before.placement === placement
    return isSaid ? [] : [{ kind: 'sign', deployment: held.id, order: (last?.order ?? 0) + 1, ...wanted }]
  })
  const byDeployment = (a: VersionStep, b: VersionStep) => byName(a.deployment, b.deployment)
  return [...retired.toSorted(byDeployment), ...signed.toSorted(byDeployment)]
}

/** One line, like `sign version 4 of 0f0f0f0f (shop-all)`. */
export const describeVersionStep = (step: VersionStep): string =>
  step.kind === 'retire'
    ? `retire ${step.application.slice(0, 8)} of deployment ${step.deployment.slice(0, 8)}`
    : `sign version ${step.order} of ${step.deployment.slice(0, 8)} (${step.name}): revision ${step.revision.slice(0, 8)} at ${step.placement}`

export interface SigningOptions {
  /** 64 hexadecimal digits. */
  readonly networkId: string
  /** Id of the tenant. */
  readonly tenant: string
  /** The tenant's key, or one it delegated to. */
  readonly signer: Signer
  readonly powers: AuthorityPowers
  readonly random: Random
}

/**
 * Signs what `planVersions` found. The records go to disk first, then the decisions: a record that no decision names has
 * no effect, and the next plan makes the same one again.
 */
export const signVersions = (
  steps: readonly VersionStep[],
  config: Pick<TenantConfig, 'decisions'>,
  { networkId, tenant, signer, powers, random }: SigningOptions,
): { readonly records: readonly SignedRecord<DeploymentVersion>[]; readonly decisions: readonly Decision[] } => {
  const standing = new Map(config.decisions)
  const records: SignedRecord<DeploymentVersion>[] = []
  const decide = ({ deployment, application, order }: VersionStep, version: string | null): Decision => {
    const others = [...standing.values()].filter((one) => one.application === application)
    const choice = { decision: randomHex(random, 16), version, step: 0, fence: { generation: 1, n: 1 } }
    const before = others.flatMap((one) => [one.decision, ...one.seen])
    // Each deployment that was removed leaves its last decision for ever: those that a later one that stays names need no room.
    const replaced = new Set(others.flatMap((one) => (one.deployment === deployment ? [] : one.seen)))
    const known = others.flatMap((one) => (replaced.has(one.decision) ? [] : [one.decision]))
    const { decision, seen } = replacingEntry(known, before, choice)
    return { deployment, application, decision, version, order, seen }
  }
  const decisions = steps.map((step) => {
    let version: string | null = null
    if (step.kind === 'sign') {
      const { application, deployment, name, order, revision, placement } = step
      const body = { network: networkId, tenant, application, deployment, name, order, revision, placement }
      const record = sealRecord(deploymentVersionKind, { ...body, signer: signer.keyId, secrets: [] }, [signer], powers)
      records.push(record)
      version = record.id
    }
    const decision = decide(step, version)
    standing.set(step.deployment, decision)
    return decision
  })
  return { records, decisions }
}

/** What each decision reads as: a tenant keeps those of years, and they are read whenever what is wanted is worked out. */
const readDecisions = new WeakMap<Decision, ReadEntry | null>()

const readDecision = (signed: Decision, hash: AuthorityPowers['hash']): ReadEntry | undefined => {
  const before = readDecisions.get(signed)
  if (before !== undefined) return before ?? undefined
  const { decision, version, order, seen } = signed
  const fence = { generation: 1, n: Math.max(1, order) }
  const text = formatEntry({ decision, version, step: 0, share: null, fence, seen, retired: version === null })
  const read = parseEntry(text, hash)
  readDecisions.set(signed, read.ok ? read.entry : null)
  return read.ok ? read.entry : undefined
}

/**
 * The decisions of a tenant as a lane that `effective` reads: what stands at its home scope. Several deployments may have
 * decided of one application, one after the other; the later names the earlier.
 * @param lane the written name of the tenant's lane
 */
export const viewOfDecisions = (
  { decisions }: Pick<TenantConfig, 'decisions'>,
  lane: string,
  { hash }: Pick<AuthorityPowers, 'hash'>,
): LaneView => {
  const entries = [...decisions.values()].flatMap((signed) => {
    const entry = readDecision(signed, hash)
    return entry === undefined ? [] : [{ application: signed.application, entry }]
  })
  const byApplication = Map.groupBy(entries, ({ application }) => application)
  const all = [...byApplication].map(([id, some]): [string, readonly ReadEntry[]] => [
    id,
    some.map(({ entry }) => entry),
  ])
  return { lane, voice: 'intent', entries: new Map(all) }
}
