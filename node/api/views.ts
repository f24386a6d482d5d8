/**
 * What the API answers, as plain data with the names of the public interface (kebab-case). Ages and durations in
 * milliseconds (`-ms`); a time of day is never sent, because a site's clock may be wrong. Absent means not known.
 */

/** How many of something there are, and how old that knowledge is. */
export interface CountView {
  readonly count: number
  readonly 'age-ms'?: number
}

/** The counts of one application; `downloaded` counts images that are on the host, the others count instances. */
export interface CountsView {
  readonly wanted: CountView
  readonly downloaded: CountView
  readonly running: CountView
  readonly ready: CountView
  readonly failing: CountView
  readonly unknown: CountView
}

/** One thing that is not here yet. */
export interface WaitingView {
  readonly reason: string
  readonly detail: string
  readonly instance?: string
  readonly container?: string
  readonly 'for-ms': number
  readonly 'retry-in-ms'?: number
}

/** Where an instance is reached from outside. */
export interface IngressView {
  readonly instance: string
  readonly host: string
  /** The address to ask, or the host's name where any of its addresses will do. */
  readonly address: string
  readonly protocol: 'tcp' | 'udp'
  readonly 'host-port': number
  readonly 'container-port': number
}

/** One application version on one site. */
export interface ApplicationSiteView extends CountsView {
  readonly site: string
  readonly version: string
  /** `run` and `retired` as the site was told; `former` for a version that only still runs there. */
  readonly phase: 'run' | 'retired' | 'former'
  /** What the site was told to run; absent for a former one. */
  readonly revision?: string
  /** Age of the report the counts rest on; absent when the site never reported. */
  readonly 'age-ms'?: number
  readonly waiting: readonly WaitingView[]
  /** Only of instances whose host can be asked now. */
  readonly ingress: readonly IngressView[]
}

/** One application version in a zone that lets out counts alone: which sites they are of is not known here. */
export interface ApplicationZoneView {
  readonly zone: string
  readonly version: string
  readonly wanted: CountView
  readonly running: CountView
  readonly ready: CountView
  readonly failing: CountView
  readonly unknown: CountView
  /** Sites at which the zone's own operators and those above want different things. */
  readonly conflict: CountView
  /** Age of the zone's summary; absent when it never came. */
  readonly 'age-ms'?: number
  /** Why there is no more, like `counts only`. */
  readonly note: string
}

export interface ApplicationStateView {
  readonly name: string
  /** Newest version in the configuration; empty where the application has none. */
  readonly version: string
  readonly deployment?: string
  /** What the deployment asks for now. */
  readonly 'wanted-revision'?: string
  readonly 'wanted-version'?: string
  /**
   * `running` when all wanted instances are ready, else `deploying`, `error`, `unknown` or `not-deployed`; `conflict` while
   * a zone and those above it want different things.
   */
  readonly 'oper-status': string
  readonly sites: readonly ApplicationSiteView[]
  /** Zones in which the words of those who may decide do not agree: `skerry conflicts show` has them. Absent when there is none. */
  readonly conflicts?: readonly { readonly scope: string; readonly candidates: number; readonly note: string }[]
  /** Zones whose own operators decided otherwise for themselves. Absent when there is none. */
  readonly 'overridden-by'?: readonly string[]
  /** Zones of which only counts are known; what they count is not in `sites`. Absent when there is none. */
  readonly zones?: readonly ApplicationZoneView[]
}

export interface ContainerView {
  readonly name: string
  readonly 'oper-status': string
  readonly id?: string
  /** Process id on its host, 0 when not running. */
  readonly pid: number
  readonly image: string
  readonly 'image-digest'?: string
  readonly 'spec-hash'?: string
  readonly ready: boolean
  readonly 'current-restarts': number
  readonly 'total-restarts': number
  readonly 'last-exit'?: { readonly code: number; readonly reason: string }
  readonly probes: Readonly<Record<string, { readonly status: string }>>
}

export interface ServiceInstanceView {
  /** `<application>.<service>-<n>` */
  readonly name: string
  readonly service: string
  readonly site: string
  readonly host: string
  readonly 'application-version': string
  readonly 'oper-status': string
  readonly ready: boolean
  readonly ips: readonly string[]
  readonly ports: readonly {
    readonly protocol: 'tcp' | 'udp'
    readonly 'container-port': number
    readonly 'host-port': number
  }[]
  readonly containers: readonly ContainerView[]
  readonly 'age-ms'?: number
}

export interface ExplainView {
  readonly application: string
  readonly site: string
  readonly ok: boolean
  readonly links: readonly {
    readonly step: string
    readonly state: 'done' | 'stopped' | 'unknown'
    readonly text: string
    readonly 'age-ms'?: number
  }[]
  readonly 'stopped-at'?: string
  /** There when nobody can say how things are now: how long, and what the host said last. */
  readonly unknown?: { readonly 'since-ms'?: number; readonly 'last-known'?: string }
  readonly reason?: string
  readonly advice?: string
  /** What else bears on it, like `parent tower: link down for 5m`. */
  readonly note?: string
  /** Changes of it that came too late for the seal of their lane: kept, not in force. A line each. */
  readonly late?: readonly string[]
}

export interface DeploymentStateView {
  readonly name: string
  readonly application: string
  readonly 'application-version': string
  readonly 'oper-status': string
  /** Distinct versions it has named, newest first: what a rollback can go back to. */
  readonly 'version-history': readonly string[]
  readonly images: readonly { readonly name: string; readonly digest: string; readonly status: string }[]
  readonly sites: readonly string[]
}

export interface RollbackView {
  readonly deployment: string
  readonly 'from-version': string
  readonly 'to-version': string
}

export interface ImageView {
  readonly name: string
  readonly digest: string
  readonly 'size-bytes': number
  /** sha256 of the archive that holds it. */
  readonly archive: string
  readonly 'runs-as-process': boolean
}

/** What this node, or the node that answers for `site`, says of itself. */
export interface NodeView {
  readonly name: string
  readonly role: 'tower' | 'aggregator' | 'edge'
  readonly version: string
  readonly scope: string
  readonly site?: string
  readonly host?: string
  readonly pid: number
  readonly 'uptime-ms': number
  /** Resident memory of the node's process. */
  readonly 'rss-bytes'?: number
  /** Id of the network, 64 hexadecimal digits: a fresh node is told it to join. */
  readonly 'network-id'?: string
  /** The hash of this node's key, 64 hexadecimal digits: to compare before it is claimed. */
  readonly fingerprint?: string
  /** Where it accepts links. */
  readonly addresses?: readonly string[]
  readonly parent?: {
    readonly node: string
    readonly link: 'up' | 'down'
    readonly 'age-ms': number
    /** What the last try to reach it said; absent while it is linked. */
    readonly error?: string
    /** Stable code of its refusal, like `waiting` or `blocked`. */
    readonly refusal?: string
    /** What siblings did about a link that is down, like `repaired from a sibling 5s ago`. */
    readonly siblings?: string
  }
  /** What is left with siblings, for sites right below; absent where no site has siblings. */
  readonly deposits?: {
    /** Scopes of sites for which siblings do not keep all they should, or keep something old. */
    readonly owed: readonly string[]
  }
  /** What runs containers here; absent on a node that runs none. */
  readonly runtime?: {
    readonly driver: string
    readonly version?: string
    readonly state: 'up' | 'unavailable'
    readonly error?: string
    readonly 'enforces-limits'?: boolean
    readonly network?: string
    readonly cgroup?: string
    readonly bridge?: string
    readonly subnet?: string
    readonly 'port-range': readonly [number, number]
  }
  /** Things a person must know, like `outbound traffic is open (not filtered yet)`. */
  readonly notes: readonly string[]
}

/** A host as the asked node knows it. */
export interface HostView {
  readonly name: string
  readonly site: string
  readonly scope: string
  readonly node: string
  readonly 'oper-status': 'up' | 'unknown'
  /** Since when the host last spoke. */
  readonly 'age-ms'?: number
  /** Why it is unknown, like `link down for 5m`. */
  readonly note?: string
  readonly labels: Readonly<Record<string, string>>
  readonly runtime?: NodeView['runtime']
}

export interface SiteView {
  readonly name: string
  readonly scope: string
  readonly type: 'edge' | 'top'
  readonly labels: Readonly<Record<string, string>>
  readonly hosts: readonly HostView[]
  /** `up` when any host is. */
  readonly 'oper-status': 'up' | 'unknown'
  readonly 'age-ms'?: number
}

export interface ZoneView {
  readonly scope: string
  readonly name: string
  readonly privacy: boolean
  /** Level per kind of what may leave, like `reports: summary`. */
  readonly policy: Readonly<Record<string, string>>
  /** Zones directly in it; absent where the zone keeps its names back. */
  readonly zones?: number
  /** Sites directly in it; absent where the zone keeps its names back. */
  readonly sites?: number
  /** The nodes that run it, as far as their names are known here. */
  readonly aggregators: readonly ZoneNodeView[]
  /** The key list that signs for the zone, as this node believes it; absent before it has one. */
  readonly authority?: {
    readonly generation: number
    /** For how long no sign of life of the root's authority came this far; absent while it is fresh. */
    readonly 'stale-for-ms'?: number
  }
  /** One short remark, like `beyond here /de/bavaria answers`. */
  readonly note?: string
}

/** A node that runs a zone. */
export interface ZoneNodeView {
  readonly node: string
  /** The link between it and the asked node; absent where they are no neighbours. */
  readonly link?: 'up' | 'down'
  /** For how long the link has been so. */
  readonly 'age-ms'?: number
}

export interface ZonePolicyView {
  readonly scope: string
  readonly privacy: boolean
  readonly policy: Readonly<Record<string, string>>
  /** Who may end a conflict between the zone's own word and one from above. */
  readonly settle: 'zone' | 'ancestor'
  /** What else a person should know of it, in words. */
  readonly notes: readonly string[]
  /** Per ancestor, nearest first: what it can see, as data and in words. */
  readonly ancestors: readonly {
    readonly scope: string
    readonly sees: Readonly<Record<string, string>>
    readonly lines: readonly string[]
  }[]
}

/** The tree below the asked node. */
export interface TreeView {
  readonly scope: string
  readonly name: string
  readonly kind: 'zone' | 'site' | 'host' | 'border'
  readonly 'oper-status'?: 'up' | 'unknown'
  readonly 'age-ms'?: number
  /** One short remark, like `beyond here /de/bavaria answers`. */
  readonly note?: string
  readonly children: readonly TreeView[]
}

export interface ExecView {
  readonly 'exit-code': number
  /** base64 */
  readonly stdout: string
  /** base64 */
  readonly stderr: string
  readonly truncated: boolean
}

/** What differs between two sites. */
export interface DiffView {
  readonly a: string
  readonly b: string
  /** Sorted by `what`; empty when the sites are alike. */
  readonly differences: readonly DifferenceView[]
}

export interface DifferenceView {
  /** Like `label shop.example/size`, `hosts`, `application shop version`. */
  readonly what: string
  /** What it is at the first site; absent where it has none. */
  readonly a?: string
  readonly b?: string
}
