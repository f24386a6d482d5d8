import { nameHint } from '../../../base/index.ts'
import {
  type ApplicationRevision,
  ConfigError,
  type PutOptions,
  type StoredApplication,
  type StoredDeployment,
} from './config-store.ts'
import type { DeploymentSpec } from './deployment-specification.ts'
import { deployedRevision } from './intent.ts'
import { sameDocument, sameImages } from './revision.ts'

/** Versions kept of one application, besides those that are deployed. */
export const keptVersions = 3
/** Rolled-out versions a deployment remembers. */
const keptHistory = 10

/** What the rules need to know of the state a change is made to. */
export interface HeldConfig {
  readonly applications: ReadonlyMap<string, StoredApplication>
  readonly deployments: ReadonlyMap<string, StoredDeployment>
}

const checkOrder = (kind: string, name: string, held: { readonly order: number } | undefined, options: PutOptions) => {
  if (options.ifOrder === undefined || options.ifOrder === (held?.order ?? 0)) return
  const now = held ? `it is at ${held.order} now` : 'there is none now'
  throw new ConfigError(
    'precondition-failed',
    `${kind} ${name} was changed by someone else: you changed ${options.ifOrder}, ${now}. Read it again and repeat the change`,
  )
}

/** @throws {ConfigError} `not-found` with the nearest name, or what there is. */
export const missing = (kind: 'application' | 'deployment', name: string, known: readonly string[]): never => {
  throw new ConfigError('not-found', `there is no ${kind} ${name}; ${nameHint(name, known)}`)
}

/** The rolled-out versions with the one that rolls out now at the end. */
export const withHistory = (history: readonly string[], version: string): readonly string[] =>
  history.at(-1) === version ? history : [...history, version].slice(-keptHistory)

const kept = (revisions: readonly ApplicationRevision[], deployments: readonly StoredDeployment[]) =>
  revisions.filter(
    ({ version }, at) =>
      at >= revisions.length - keptVersions || deployments.some(({ spec }) => spec['application-version'] === version),
  )

/**
 * The revisions of an application once `candidate` is in, or undefined when it is there already.
 * @throws {ConfigError} `version-exists`, `version-required`, `precondition-failed`.
 */
export const admitApplication = (
  held: HeldConfig,
  candidate: ApplicationRevision,
  options: PutOptions,
): readonly ApplicationRevision[] | undefined => {
  const { name } = candidate.spec
  const application = held.applications.get(name)
  checkOrder('application', name, application, options)
  const revisions = application?.revisions ?? []
  const newest = revisions.at(-1)
  const same = revisions.find(({ version }) => version === candidate.version)
  // A version, once named, keeps its images too; without one, an image with other bytes is a change. Where nothing but
  // archives changed, the revision that is there stays.
  const equal = same && sameDocument(same.spec, candidate.spec)
  if (equal && (candidate.version !== '' || sameImages(same.images, candidate.images))) return undefined
  if (candidate.version === '' && newest && newest.version !== '')
    throw new ConfigError(
      'version-required',
      `application ${name} has versions, the newest is ${newest.version}: give this change a version of its own`,
    )
  if (same && candidate.version !== '')
    throw new ConfigError(
      'version-exists',
      `application ${name} has a version ${candidate.version} with another specification: give this change a new version`,
    )
  const others = candidate.version === '' ? [] : revisions.filter(({ version }) => version !== '')
  const used = [...held.deployments.values()].filter(({ spec }) => spec.application === name)
  return kept([...others, candidate], used)
}

/** @throws {ConfigError} `not-found`, `still-deployed`, `precondition-failed`. */
export const admitApplicationRemoval = (held: HeldConfig, name: string, options: PutOptions): void => {
  const application = held.applications.get(name) ?? missing('application', name, [...held.applications.keys()])
  checkOrder('application', name, application, options)
  const deployment = [...held.deployments.values()].find(({ spec }) => spec.application === name)
  if (deployment)
    throw new ConfigError(
      'still-deployed',
      `application ${name} is deployed by ${deployment.spec.name}: remove that deployment first, then the application`,
    )
}

/**
 * The history of a deployment once `spec` is in, or undefined when it is there already.
 * @throws {ConfigError} `not-found`, `version-unknown`, `already-deployed`, `precondition-failed`.
 */
export const admitDeployment = (
  held: HeldConfig,
  spec: DeploymentSpec,
  options: PutOptions,
): readonly string[] | undefined => {
  const before = held.deployments.get(spec.name)
  checkOrder('deployment', spec.name, before, options)
  if (before && sameDocument(before.spec, spec)) return undefined
  const other = [...held.deployments.values()].find(
    (candidate) => candidate.spec.application === spec.application && candidate.spec.name !== spec.name,
  )
  if (other)
    throw new ConfigError(
      'already-deployed',
      `application ${spec.application} is deployed by ${other.spec.name} already, and only one deployment may refer to it: change that one, or remove it first`,
    )
  const application = held.applications.get(spec.application)
  if (!application)
    throw new ConfigError(
      'not-found',
      `deployment ${spec.name} names the application ${spec.application}, which is not here: apply the application first; ${nameHint(spec.application, [...held.applications.keys()])}`,
    )
  const revision = deployedRevision({ spec }, application)
  if (!revision) {
    const known = application.revisions.map(({ version }) => version || '(without version)').join(', ')
    throw new ConfigError(
      'version-unknown',
      `application ${spec.application} has no version ${spec['application-version']}; it has ${known}`,
    )
  }
  const history = before?.spec.application === spec.application ? before.history : []
  return withHistory(history, revision.version)
}

/** @throws {ConfigError} `not-found`, `precondition-failed`. */
export const admitDeploymentRemoval = (held: HeldConfig, name: string, options: PutOptions): void => {
  const deployment = held.deployments.get(name) ?? missing('deployment', name, [...held.deployments.keys()])
  checkOrder('deployment', name, deployment, options)
}

/**
 * The version a rollback goes to: the one named, else the last that ran and is not the one that runs.
 * @throws {ConfigError} `no-previous-version`, `version-unknown`.
 */
export const rollbackVersion = (
  deployment: StoredDeployment,
  application: StoredApplication,
  toVersion?: string,
): string => {
  const { name } = deployment.spec
  const held = application.revisions.map(({ version }) => version).filter((version) => version !== '')
  if (toVersion !== undefined) {
    if (held.includes(toVersion)) return toVersion
    throw new ConfigError(
      'version-unknown',
      `cannot roll back ${name} to version ${toVersion}: application ${application.name} has ${held.join(', ') || 'no versions'}`,
    )
  }
  const now = deployedRevision(deployment, application)?.version
  const previous = deployment.history.findLast((version) => version !== now && held.includes(version))
  if (previous !== undefined) return previous
  throw new ConfigError(
    'no-previous-version',
    held.length === 0
      ? `cannot roll back ${name}: application ${application.name} has no versions. Set version in it, then each change can be taken back`
      : `cannot roll back ${name}: it has run no other version that is still held (held: ${held.join(', ')}). Name one with --to`,
  )
}
