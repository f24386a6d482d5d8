import type {
  Anchors,
  AuthorityPowers,
  BeaconState,
  BlockList,
  Certificate,
  Delegation,
  DeploymentVersion,
  KeyId,
  KeyList,
  OwnerId,
  Root,
  SignedRecord,
  Trust,
  Verdict,
} from '../authority/index.ts'
import type { BookKind, BookRecord } from './book.ts'
import { createLayer, type Layer, type Lookup } from './layer.ts'

/** Bounds of what one book keeps. What comes beyond is refused as `full`: whoever signed too much has to be stopped. */
export const bookLimits = {
  /** Generations of all owners. */
  keyLists: 16_384,
  /** Different block lists of one issuer under one number. */
  rivalBlockLists: 16,
  verdicts: 16_384,
  delegations: 16_384,
  certificates: 65_536,
  versionsPerTenant: 16_384,
  /** Of one signer and deployment; the lowest order is dropped for a higher one. */
  versionsPerDeployment: 32,
} as const
export type BookLimits = { readonly [Name in keyof typeof bookLimits]: number }

/** A record that is kept, and as which it was taken: that order is the one it is judged again in. */
export interface Kept<Body = unknown> extends BookRecord {
  readonly taken: number
  readonly record: SignedRecord<Body>
}

/** A certificate as it is held: read again when it is asked for, as a hub holds tens of thousands. */
export interface HeldCertificate extends BookRecord {
  readonly taken: number
  readonly keyId: KeyId
  readonly number: number
  readonly scope: string
  readonly role: Certificate['role']
  /** What judging it came to. */
  readonly memo: {
    /** The key that signed, once that was verified: the bytes do not change. */
    signedBy: string | undefined
    /** Of the trust it was judged under. */
    revision: number
    record: SignedRecord<Certificate> | undefined
  }
}

/** What a book believes. A fold works on a draft, which counts once it is on disk. */
export interface BookState {
  trust: Trust | undefined
  /** Counts the changes of `trust`. */
  revision: number
  /** Counts the records taken. */
  taken: number
  roots: readonly Kept<Root>[]
  readonly keyLists: Map<string, Kept<KeyList>>
  /** By issuer; the empty text for the root. */
  readonly blockLists: Map<string, readonly Kept<BlockList>[]>
  readonly verdicts: Map<string, Kept<Verdict>>
  /** By `delegationSlot`. */
  readonly delegations: Map<string, Kept<Delegation>>
  beacon: { readonly kept: Kept; readonly state: BeaconState } | undefined
  readonly certificates: Lookup<KeyId, HeldCertificate>
  /** Those of towers and aggregators, by key: what `recordsFor` looks through. */
  readonly carriers: Map<KeyId, HeldCertificate>
  readonly versions: Lookup<string, Kept<DeploymentVersion>>
  /** By `deploymentSlot`, the highest order first. */
  readonly orders: Lookup<string, readonly Kept<DeploymentVersion>[]>
  readonly versionCounts: Map<OwnerId, number>
}

export interface FoldContext {
  readonly powers: AuthorityPowers
  readonly networkId: string | undefined
  readonly anchors: Anchors
  readonly limits: BookLimits
}

export type CommittedState = BookState & {
  readonly certificates: Map<KeyId, HeldCertificate>
  readonly versions: Map<string, Kept<DeploymentVersion>>
  readonly orders: Map<string, readonly Kept<DeploymentVersion>[]>
}

export const emptyState = (): CommittedState => ({
  trust: undefined,
  revision: 0,
  taken: 0,
  roots: [],
  keyLists: new Map(),
  blockLists: new Map(),
  verdicts: new Map(),
  delegations: new Map(),
  beacon: undefined,
  certificates: new Map(),
  carriers: new Map(),
  versions: new Map(),
  orders: new Map(),
  versionCounts: new Map(),
})

/** A copy to fold into, and how to make it the state. The large maps are layered, the others copied. */
export const draftOf = (state: CommittedState): { readonly draft: BookState; commit(): CommittedState } => {
  const certificates: Layer<KeyId, HeldCertificate> = createLayer(state.certificates)
  const versions: Layer<string, Kept<DeploymentVersion>> = createLayer(state.versions)
  const orders: Layer<string, readonly Kept<DeploymentVersion>[]> = createLayer(state.orders)
  const draft: BookState = {
    ...state,
    keyLists: new Map(state.keyLists),
    blockLists: new Map(state.blockLists),
    verdicts: new Map(state.verdicts),
    delegations: new Map(state.delegations),
    carriers: new Map(state.carriers),
    versionCounts: new Map(state.versionCounts),
    certificates,
    versions,
    orders,
  }
  return {
    draft,
    commit: () => {
      for (const layer of [certificates, versions, orders]) layer.commit()
      return { ...draft, certificates: state.certificates, versions: state.versions, orders: state.orders }
    },
  }
}

export const keptAs = <Body>(state: BookState, kind: BookKind, record: SignedRecord<Body>): Kept<Body> => {
  state.taken += 1
  return { kind, id: record.id, bytes: record.bytes, taken: state.taken, record }
}

/** Highest numbers hold per tenant and key. */
export const delegationSlot = (tenant: OwnerId, keyId: KeyId): string => `${tenant} ${keyId}`

export const deploymentSlot = ({ tenant, signer, deployment }: DeploymentVersion): string =>
  `${tenant} ${signer} ${deployment}`
