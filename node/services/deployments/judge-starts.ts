import {
  type AcceptedVersions,
  type AuthorityPowers,
  acceptedKey,
  type Delegation,
  type DeploymentVersion,
  type EntryChain,
  mayStart,
  type Owner,
  type ReadEntry,
  type SignedRecord,
  type StartContext,
} from '../../../crdt/index.ts'
import { byName } from './placement.ts'
import type { StartRefusal } from './report.ts'

/** One entry that asks for something, and all that is known of whose word it is. */
export interface StartCandidate {
  /** Id of the application: the key of the entry. */
  readonly application: string
  /** What people call it. @default its id */
  readonly name?: string | undefined
  readonly entry: ReadEntry
  /** The lane the entry stands in, who signed its envelope, and the newest generation of the lane's owner. */
  readonly when: Omit<EntryChain, 'version'>
  /** Undefined while the record is not here: then there is nothing to judge yet. */
  readonly version: SignedRecord<DeploymentVersion> | undefined
  /** The newest generation of the tenant's authority. */
  readonly tenant: Owner | undefined
  /** Delegations of that tenant that are known. */
  readonly delegations: readonly SignedRecord<Delegation>[]
}

export interface JudgedStarts {
  /** Entries that may count, for `siteIntentOf`. What is left out stays as it was accepted last. */
  readonly entries: ReadonlyMap<string, ReadEntry>
  /** By name, then code. */
  readonly refusals: readonly StartRefusal[]
  /** All of `context.accepted` and what was accepted now: on disk before anything of it starts. */
  readonly accepted: AcceptedVersions
}

const judgeOne = (
  { application, entry, when, version, tenant, delegations }: StartCandidate,
  context: StartContext,
  powers: AuthorityPowers,
): { readonly code: string; readonly message: string } | undefined => {
  // Only a start asks: what stops, and what is not here yet, needs no chain.
  if (entry.version === null || version === undefined) return undefined
  if (version.body.application !== application)
    return { code: 'wrong-version', message: 'the entry names a deployment version of another application' }
  const may = mayStart({ version, tenant, delegations }, { ...when, version: entry.version }, context, powers)
  return may.ok ? undefined : may.refusal
}

/** In the order of signer and number, so that of two versions of one signer the lower one never comes after. */
const byOrder = (a: StartCandidate, b: StartCandidate): number =>
  (a.version?.body.order ?? 0) - (b.version?.body.order ?? 0) || byName(a.application, b.application)

/**
 * Which of the entries an edge may act on: for each that asks to run something, both chains (DESIGN.md section 3, rule
 * 5). Pure; the order of the candidates does not matter.
 */
export const judgeStarts = (
  candidates: readonly StartCandidate[],
  context: StartContext,
  powers: AuthorityPowers,
): JudgedStarts => {
  const accepted = new Map(context.accepted)
  const entries = new Map<string, ReadEntry>()
  const refusals: StartRefusal[] = []
  for (const candidate of candidates.toSorted(byOrder)) {
    const { application, name = application, entry, version } = candidate
    const refusal = judgeOne(candidate, { ...context, accepted }, powers)
    if (refusal !== undefined) {
      const { code, message } = refusal
      refusals.push({ application: name, code, message, ...(entry.version !== null && { version: entry.version }) })
      continue
    }
    entries.set(application, entry)
    if (entry.version !== null && version !== undefined)
      accepted.set(acceptedKey(version.body), { order: version.body.order, id: version.id })
  }
  return {
    entries,
    refusals: refusals.toSorted((a, b) => byName(a.application, b.application) || byName(a.code, b.code)),
    accepted,
  }
}
