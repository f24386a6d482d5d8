import type { Clock, Log, Random } from '../../../base/index.ts'
import type {
  AuthorityPowers,
  Book,
  Certificate,
  Documents,
  KeyId,
  KeyList,
  OwnerId,
  SignedRecord,
  Signer,
  Standing,
  Store,
} from '../../../crdt/index.ts'
import type { ZonePolicy } from '../../../topologies/index.ts'
import type { ExpectedScope } from './expected.ts'
import type { JoinAnswer, JoinHello } from './join-messages.ts'
import type { HelloGuard } from './join-token.ts'
import type { JoinGuard } from './judge-join.ts'
import type { OwnZone } from './own-lane.ts'
import type { ListChange, Renewed } from './renew-own-zone.ts'

export type MemberRole = Certificate['role']

/** Who this node is: what its configuration says, and its one key. */
export interface Self {
  /** The host's name; a node that does not know what it will be called says the empty text. */
  readonly name: string
  readonly role: MemberRole
  /** The zone it runs, or its site: `/north`, `/north/n1`. */
  readonly scope: string
  /** What the machine is known by: SMBIOS serial, machine id, or what the installer was told. */
  readonly hostId: string
  readonly signer: Signer
  /** The X25519 key that others seal to, 64 hexadecimal digits. @default none */
  readonly sealing?: string
}

/** A tenant whose key this node holds: it delegates to zones it enrols. */
export interface HeldTenant {
  readonly tenant: OwnerId
  readonly signer: Signer
}

export interface MembershipOptions {
  readonly self: Self
  /** Id of the network to join, as configured; undefined at a tower and at a node whose book knows it. */
  readonly networkId: string | undefined
  /** One-time tokens this node may join with. Each is shown to its issuer alone. @default none */
  readonly tokens?: () => readonly string[]
  /** Scopes directly below this one, as its slice of the topology says now; none at an edge. */
  readonly expected: () => readonly ExpectedScope[]
  /** The first key list of the zone this node runs, where that has an authority of its own. @default none */
  readonly firstList?: SignedRecord<KeyList>
  /** What this node's slice of the topology says of the zone it runs: what its own lane says. @default nothing */
  readonly ownZone?: OwnZone
  /** @default none */
  readonly tenants?: readonly HeldTenant[]
  /** Whether the topology names a zone here, at whatever depth: no other is let sign for a tenant. @default none further down */
  readonly isKnownZone?: (scope: string) => boolean
  /** The beacon's key, at the tower that holds it. */
  readonly beacon?: Signer
  /** Milliseconds since 1970 where time is trusted, undefined where it is not. */
  readonly trustedNowMs: () => number | undefined
  readonly book: Book
  readonly documents: Documents
  /** Keys under `m/` are used. */
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly powers: AuthorityPowers
  readonly log: Log
  /** What is asked of who calls. @default all; a proof takes one out */
  readonly joinGuards?: ReadonlySet<JoinGuard> | undefined
  /** What this node asks of itself before it calls. @default all; a proof takes one out */
  readonly helloGuards?: ReadonlySet<HelloGuard> | undefined
  /** How long a certificate is valid. @default 7776000000 (90 days), in milliseconds */
  readonly validityMs?: number
  /** A new beacon after so long on the monotonic clock. @default 600000 (10 minutes), in milliseconds */
  readonly beaconEveryMs?: number
  /** Without a beacon for so long, authority is stale. @default 3600000 (1 hour), in milliseconds */
  readonly beaconFreshForMs?: number
}

/** What a child learned from a parent's answer. */
export type Accepted =
  | {
      readonly ok: true
      /** Goes into every snapshot this node signs until it is admitted again. Counts up. */
      readonly session: number
      readonly parent: { readonly name: string; readonly scope: string }
      /** What this node is to its parent. The site's id, for an edge. */
      readonly self: { readonly name: string; readonly scope: string; readonly site: string | null }
    }
  | {
      readonly ok: false
      /** Stable: `waiting`, `blocked`, `duplicate`, `wrong-network`, `not-a-parent`, … */
      readonly code: string
      readonly message: string
      /** `later`: ask again soon, a person or the parent is expected to act. `slow`: only the longest waits make sense. */
      readonly retry: 'later' | 'slow'
    }

/** A child by its key. */
export interface MemberPlace {
  readonly name: string
  readonly role: MemberRole
  /** The zone or site it is of. */
  readonly scope: string
  /** The id of its site; null for an aggregator. */
  readonly site: string | null
}

/** One line of what a parent knows of hosts below it. */
export interface MemberView {
  /**
   * `expected`: named by the topology, no key yet. `waiting`: called, nobody said yes. `duplicate`: called with another key
   * than the one enrolled. `gone`: enrolled, and the topology names it no more.
   */
  readonly state: 'enrolled' | 'expected' | 'waiting' | 'duplicate' | 'blocked' | 'gone'
  /** Of a caller that waits: the expected host its host-id or the name it says fits, if any. */
  readonly name: string | undefined
  readonly role: MemberRole | undefined
  readonly scope: string | undefined
  /** The id of its key: 64 hexadecimal digits, what a person compares with what the host shows. */
  readonly fingerprint: KeyId | undefined
  readonly hostId: string | undefined
  /** Where it last called from, if the link said so. */
  readonly address: string | undefined
  /** Since its last call, in milliseconds of this node's monotonic clock; undefined before the first since the start. */
  readonly calledAgoMs: number | undefined
  /** The number and end of its newest certificate. */
  readonly certificate: { readonly number: number; readonly untilMs: number } | undefined
  /** Whether an unused token for it is out. */
  readonly hasToken: boolean
}

/** What of a site its parent leaves with siblings: who may read it, and with whom it lies. */
export interface SiteDeposits {
  /** The id of the site. */
  readonly site: string
  /** The owner of the zone it is in. */
  readonly zone: OwnerId
  /** Its hosts, by key, with the key that is sealed to; none of one that is blocked. */
  readonly readers: readonly { readonly key: string; readonly sealing: string }[]
  /** Keys of hosts of other sites. */
  readonly siblings: readonly string[]
}

/** The authority of a zone, as this node believes it. */
export interface ZoneAuthority {
  /** 48 digits of one that renews itself, 32 of one that its parent grants keys to. */
  readonly id: string
  readonly succession: 'own' | 'granted'
  readonly generation: number
  readonly threshold: number
  readonly isCountersigned: boolean
  /** With the host that has the key, as far as that is known here. */
  readonly keys: readonly { readonly key: string; readonly host: string | undefined }[]
  /** Nodes of the zone whose keys are not on the list, as far as that is known here. */
  readonly waiting: readonly { readonly key: string; readonly host: string }[]
  /** What an aggregator showed beside it, and waits for an operator. */
  readonly rival: { readonly id: string; readonly keys: readonly string[] } | undefined
}

/** What is blocked or allowed: a host or a site by name, a zone by its scope. */
export type BlockTarget = { readonly host: string } | { readonly site: string } | { readonly zone: string }

export interface MembershipEvent {
  /** Peer keys whose links end now; children and, when it was blocked above, this node's parent. */
  readonly cut: readonly string[]
}

/**
 * How nodes become members and stay it: a parent judges callers and gives certificates, a child judges parents. Decides
 * nothing by this machine's time of day. Calls are worked off one after the other.
 */
export interface Membership {
  /**
   * Reads what is stored, writes the lanes of expected scopes that changed since, begins to sign beacons where this node
   * holds the key. Also after this node was itself enrolled: before that it admits nobody.
   * @throws {SkerryError} `newer-format` when a newer program wrote what is stored
   */
  start(): Promise<void>
  /** Waits for what is under way; signs nothing more. */
  stop(): Promise<void>

  /**
   * As a parent: what to answer a caller. Whoever gets an `admitted` answer is a child from now on.
   * @param hello the JSON document of the `join` stream, of at most 64 KiB, as it came
   * @param peerKey 64 hexadecimal digits, proved by the link
   * @param address where the call came from, to be shown
   */
  judge(hello: unknown, peerKey: string, address?: string): Promise<JoinAnswer>
  /** Another aggregator of this zone was met: all that it holds of the zone is here. */
  metFellow(): Promise<void>
  /** The lane of a scope right below was written elsewhere: by another aggregator of this zone, or by this one before its disk went back. */
  follow(scope: string): Promise<void>
  /** As a child: what to say to the node at the other end of the link, which gets no token but its own. */
  hello(parentKey: string): Promise<JoinHello>
  /** As a child: judges a parent's answer and takes in its records. A parent that is none is refused: try the next address. */
  accept(answer: unknown, parentKey: string): Promise<Accepted>
  /** Whether this node should join anew, so that its parent may renew its certificate: `nowMs` of the monotonic clock. */
  renewDue(nowMs: number): boolean
  /** As the parent: keys of children whose certificates do not hold by their dates alone: as they call again they get others. */
  outOfDate(): readonly string[]

  /** What a child's key may do, as far as is known now; blocked and superseded ones too. Undefined for no child of ours. */
  standingOf(peerKey: string): Standing | undefined
  /** Undefined for no child of ours. */
  memberOf(peerKey: string): MemberPlace | undefined
  /** The key a host below is enrolled with; undefined when it has none. */
  keyOf(host: string): string | undefined
  /** The random id of a site below, 32 hexadecimal digits; undefined when it is not expected here. */
  siteId(scope: string): string | undefined
  /** Undefined for what is no site below, and where no site of the zone can be reached by others. */
  depositsOf(scope: string): SiteDeposits | undefined
  /** By state, then name. */
  hosts(): readonly MemberView[]

  /**
   * A one-time token for an expected host; takes back the one before.
   * @throws {SkerryError} `unknown-host`, `blocked`, `not-enrolled` when this node is no member itself yet
   */
  token(host: string): Promise<{ readonly token: string }>
  /**
   * An operator's yes to the key of a caller that waits or is listed as a duplicate. Replaces the key the host had.
   * @param caller its fingerprint, at least the first 16 digits, or its host-id
   * @throws {SkerryError} `unknown-caller`, `ambiguous-caller`, `unknown-host`, `blocked`, `not-enrolled`
   */
  claim(caller: string, host: string): Promise<MemberView>
  /** Cuts off and signs the next block list. @throws {SkerryError} `unknown-host`, `unknown-site`, `unknown-zone`, `not-enrolled`, `list-full` */
  block(target: BlockTarget): Promise<{ readonly number: number; readonly cut: readonly string[] }>
  /** Takes a block of this node back: what was cut off comes back by itself. @throws as `block` */
  allow(target: BlockTarget): Promise<{ readonly number: number }>
  /** How the zone right below at a scope, or this one, rules itself; undefined for any other scope. */
  zoneAuthority(scope: string): Promise<ZoneAuthority | undefined>
  /**
   * Makes the next key list of this node's zone, where that renews itself.
   * @param change fingerprints, at least 16 digits of each
   * @throws {SkerryError} `granted`, `not-enrolled`, `not-entitled`, `not-found`, `conflict`
   */
  renewZone(change: ListChange): Promise<Renewed>
  /** Signs a draft of another node of the zone. @throws as `renewZone`, and `bad-request` */
  signZone(draft: string): Promise<Renewed>
  /**
   * An operator's yes that the keys of a zone right below are lost: closes its id for ever, so that its aggregator may come
   * back with another one. Hosts inside believe the old id alone and have to be enrolled anew.
   * @param id of the authority it has, at least the first 16 digits
   * @throws {SkerryError} `unknown-zone`, `granted`, `conflict`, `not-enrolled`
   */
  retire(scope: string, id: string): Promise<void>
  /**
   * As the parent of a zone: says how much may leave it at most, kind by kind; all of it each time. The zone goes by it as
   * far as it narrows.
   * @throws {SkerryError} `unknown-zone`, `not-enrolled`
   */
  narrow(scope: string, levels: Readonly<Partial<ZonePolicy>>): Promise<void>
  /** The topology changed: lanes are brought up to it, and what it names no more is cut. */
  refresh(): Promise<void>

  /** For how long no fresh beacon has come; undefined while authority is fresh. */
  authorityStaleForMs(): number | undefined
  /** Calls that found no room in the list of callers since the start, and calls by answer. */
  counts(): { readonly dropped: number; readonly answers: Readonly<Record<string, number>> }
  /** @returns how to stop listening */
  onChange(listener: (event: MembershipEvent) => void): () => void
}
