import type { AuthorityServices } from './authority-views.ts'
import type { ConflictView, SettledView } from './conflict-views.ts'
import type { MemberView, TokenView } from './member-views.ts'
import type {
  ApplicationStateView,
  DeploymentStateView,
  DiffView,
  ExplainView,
  HostView,
  ImageView,
  NodeView,
  RollbackView,
  ServiceInstanceView,
  SiteView,
  TreeView,
  ZonePolicyView,
  ZoneView,
} from './views.ts'

/** Who asks, as the `Authorizer` said. */
export interface Caller {
  readonly tenant: string
  readonly user: string
}

/** What comes with every call. */
export interface Asked {
  readonly caller: Caller
  /** Aborts when the client left, the request ran out of time, or the node stops. */
  readonly signal: AbortSignal
}

/** A question of state; with `site` it is to be answered by that site and is forwarded through the tree. */
export interface AskedState extends Asked {
  readonly site?: string
}

export type ConfigKind = 'applications' | 'application-deployments'

/** A specification as it came: the service parses it, so that refusals name the person's own lines. */
export interface ConfigText {
  readonly text: string
  readonly mediaType: 'application/yaml' | 'application/json'
  /** The file as the person named it, or `body`; it opens every problem. */
  readonly source: string
}

export interface ConfigWrite extends Asked {
  /** Absent for a POST to the list, where the text alone names the object. */
  readonly name?: string
  readonly body: ConfigText
  /** `create` refuses with `already-exists`; `replace` creates or replaces. */
  readonly mode: 'create' | 'replace'
  /** The etag the caller has seen; another one now is `precondition-failed`. `*` means: must exist. */
  readonly ifMatch?: string
  /** `validate`: only judge the text. `dry-run`: say what would change. Neither changes anything. @default apply */
  readonly effect: 'apply' | 'validate' | 'dry-run'
}

export interface ConfigObject {
  readonly name: string
  /** Changes with every change of the object; without quotes. */
  readonly etag: string
  /** The specification as stored, kebab-case keys. */
  readonly value: Readonly<Record<string, unknown>>
}

export interface ConfigChange {
  readonly name: string
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'deleted'
  /** Absent after a delete or when nothing was applied. */
  readonly etag?: string
  /** Other objects the change reaches, like `site shop-1`: for `dry-run`. */
  readonly impact?: readonly string[]
}

/**
 * The port from the HTTP API to what the node offers. Plain data both ways; every call may throw a SkerryError, whose
 * code decides the HTTP status (`statusOfCode` in problem-report.ts): `invalid-input` 400 with one entry per problem,
 * `not-found` 404, `already-exists`, `version-exists`, `in-use` 409, `precondition-failed` 412, `not-supported` 400,
 * `engine-unavailable`, `site-unreachable` 503, … An unlisted code is a bug and answers 500 without its text.
 */
export interface ApiServices {
  readonly config: ConfigServices
  readonly state: StateServices
  readonly images: ImageServices
  readonly operations: OperationServices
  readonly members: MemberServices
  readonly conflicts: ConflictServices
  readonly authority: AuthorityServices
}

/** Several files judged as one change. */
export interface ConfigBatch extends Asked {
  readonly files: readonly Pick<ConfigText, 'text' | 'source'>[]
  readonly effect: ConfigWrite['effect']
  /** Images that will have been imported by then: a dry run counts them as held. */
  readonly images: readonly { readonly name: string; readonly digest: string }[]
}

/** What became of one document of several. */
export type DocumentChange = Omit<ConfigChange, 'etag'> & { readonly kind: 'application' | 'deployment' }

export interface ConfigServices {
  /** Every object of the kind, sorted by name. */
  list(kind: ConfigKind, asked: Asked): Promise<readonly ConfigObject[]>
  /** Undefined when there is none. */
  read(kind: ConfigKind, name: string, asked: Asked): Promise<ConfigObject | undefined>
  /** The kept versions, newest first; undefined when there is no such object. */
  versions(kind: ConfigKind, name: string, asked: Asked): Promise<readonly ConfigObject[] | undefined>
  write(kind: ConfigKind, write: ConfigWrite): Promise<ConfigChange>
  /**
   * All documents of all files, applications first, each judged on what those before it leave. Nothing is changed
   * unless every one is accepted.
   */
  writeAll(batch: ConfigBatch): Promise<readonly DocumentChange[]>
  /**
   * Merges `patch` into the object as RFC 7396 says: maps deeply, null takes a field away, all else replaces.
   * @throws {SkerryError} `not-found`, and as `write`
   */
  patch(
    kind: ConfigKind,
    name: string,
    asked: Asked & {
      readonly patch: Readonly<Record<string, unknown>>
      readonly source: string
      readonly ifMatch?: string
      readonly effect: ConfigWrite['effect']
    },
  ): Promise<ConfigChange>
  /** @throws {SkerryError} `not-found`, `in-use`, `precondition-failed`. */
  remove(
    kind: ConfigKind,
    name: string,
    asked: Asked & { readonly ifMatch?: string; readonly effect: ConfigWrite['effect'] },
  ): Promise<ConfigChange>
  /** The topology as data, kebab-case keys. */
  topology(asked: Asked): Promise<Readonly<Record<string, unknown>>>
}

/** Lists are sorted by name; `undefined` is answered as 404. */
export interface StateServices {
  node(asked: AskedState): Promise<NodeView>
  tree(asked: AskedState): Promise<TreeView>
  sites(asked: AskedState): Promise<readonly SiteView[]>
  site(name: string, asked: AskedState): Promise<SiteView | undefined>
  hosts(asked: AskedState): Promise<readonly HostView[]>
  /**
   * What differs between two sites. @throws {SkerryError} `not-found` when one is not known here; a site that is kept
   * from here and one that does not exist are told apart by nothing.
   */
  siteDiff(a: string, b: string, asked: Asked): Promise<DiffView>
  zones(asked: AskedState): Promise<readonly ZoneView[]>
  zonePolicy(zone: string, asked: AskedState): Promise<ZonePolicyView | undefined>
  applications(asked: AskedState): Promise<readonly ApplicationStateView[]>
  application(name: string, asked: AskedState): Promise<ApplicationStateView | undefined>
  serviceInstances(application: string, asked: AskedState): Promise<readonly ServiceInstanceView[] | undefined>
  /**
   * `site` is the site asked about; without it the only one that is concerned. An unknown application or site is
   * explained, not refused. @throws {SkerryError} `ambiguous` when several sites are concerned and none is named.
   */
  explain(application: string, asked: AskedState): Promise<ExplainView>
  deployments(asked: AskedState): Promise<readonly DeploymentStateView[]>
  deployment(name: string, asked: AskedState): Promise<DeploymentStateView | undefined>
}

export interface ImageServices {
  list(asked: AskedState): Promise<readonly ImageView[]>
  /**
   * Takes an OCI archive (a tar file) as it streams in; must read `archive` with back-pressure and keep nothing when
   * it breaks off (the iteration then throws).
   * @returns the images the archive held. @throws {SkerryError} `bad-image`, `disk-full`.
   */
  import(archive: AsyncIterable<Uint8Array>, asked: Asked): Promise<readonly ImageView[]>
}

export interface ExecOutcome {
  readonly exitCode: number
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** True when output past the service's bound was dropped. */
  readonly truncated: boolean
}

export interface OperationServices {
  /** @throws {SkerryError} `not-found`; `no-previous-version` when there is nothing to go back to. */
  rollback(deployment: string, asked: Asked & { readonly toVersion?: string }): Promise<RollbackView>
  /**
   * Runs a command in a container of an instance. Without `container` the instance must have only one.
   * @throws {SkerryError} `not-found`, `ambiguous`, `not-running`, `exec-failed`, `timeout`, `site-unreachable`.
   */
  exec(
    instance: string,
    asked: AskedState & { readonly container?: string; readonly args: readonly string[]; readonly timeoutMs: number },
  ): Promise<ExecOutcome>
  /**
   * What a container wrote, oldest first: the last `tailBytes` kept, then with `follow` what comes, until the signal
   * aborts (then it ends without an error). Refusals must be thrown before the promise resolves, not while iterating.
   * @throws {SkerryError} `not-found`, `ambiguous`, `site-unreachable`.
   */
  logs(
    instance: string,
    asked: AskedState & { readonly container?: string; readonly tailBytes: number; readonly follow: boolean },
  ): Promise<AsyncIterable<Uint8Array>>
}

/**
 * A question of membership. It is answered by the node that enrols the member: the one that runs the scope right above.
 * With `zone` that is a node of this zone, asked through the tree; without, this node, or where it knows the name as one
 * of a zone inside its own, a node of that zone.
 */
export interface AskedMember extends Asked {
  readonly zone?: string
}

/** Whom a block is about. */
export type BlockTarget =
  | { readonly kind: 'host'; readonly host: string }
  | { readonly kind: 'site'; readonly site: string }
  | { readonly kind: 'zone'; readonly zone: string }

/** Who calls: its key, or a host-id that only one key calls under. */
export type CallingHost = { readonly fingerprint: string } | { readonly hostId: string }

/**
 * Who belongs here. Every call throws `beyond-border`, with the words `beyond here /south answers`, where the zone that
 * would answer does not let operations in: alike whether what was named exists there or not. `site-unreachable` when
 * that zone cannot be asked now.
 */
export interface MemberServices {
  /**
   * The direct children of this node's scope and the keys that wait or were refused here; without `zone` also those of
   * the zones inside that let operations in and answer in time. Sorted by scope, then name, those without a name last.
   */
  list(asked: AskedMember): Promise<readonly MemberView[]>
  /**
   * Makes the token with which one machine may join as `host`; an earlier unused one is void from then on.
   * @throws {SkerryError} `not-found`; `already-enrolled` when a machine has the name; `blocked`
   */
  token(host: string, asked: AskedMember): Promise<TokenView>
  /**
   * An operator's yes: the key that calls is `name` from now on. Claiming what is claimed already for the same key
   * changes nothing.
   * @throws {SkerryError} `not-found` when nobody calls so or no such host is expected; `ambiguous` when several keys
   * call under the host-id; `already-enrolled` when another key has the name; `blocked`
   */
  claim(who: CallingHost, name: string, asked: AskedMember): Promise<MemberView>
  /**
   * Closes the links of a host, a site or a zone and refuses it from now on. Repeating it changes nothing.
   * @returns the members concerned, as they are afterwards. @throws {SkerryError} `not-found`
   */
  block(target: BlockTarget, asked: AskedMember): Promise<readonly MemberView[]>
  /** Takes a block back: the same keys may come again. @throws {SkerryError} `not-found`, `not-blocked` */
  allow(target: BlockTarget, asked: AskedMember): Promise<readonly MemberView[]>
}

/** Applications about which those who may decide in a zone do not agree. */
export interface ConflictServices {
  /** Of this node's scope and of the zones right below it, by application and scope. */
  list(asked: Asked): Promise<readonly ConflictView[]>
  /**
   * Ends one by taking a candidate. Without `zone` the only conflict there is about the application.
   * @param take first digits of a candidate's id, or `local` or `above`
   * @throws {SkerryError} `not-found`, `ambiguous`, `beyond-border`, `site-unreachable`, `read-only-here`
   */
  settle(application: string, asked: Asked & { readonly take: string; readonly zone?: string }): Promise<SettledView>
}
