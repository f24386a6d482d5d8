import type { Name, ScopePath } from '../base/index.ts'
import type { ZonePolicy } from './policy.ts'

/** Labels of a site, zone or host: `key` or `dns.prefix/key` to a value, which may be empty. */
export type Labels = Readonly<Record<string, string>>

/** A machine that runs a node; the node has the host's name. */
export interface Host {
  readonly name: Name
  /** SMBIOS serial, machine-id or what the installer was told; absent when any machine may take the name. */
  readonly hostId?: string
  readonly labels: Labels
}

/** Hosts at one place that act as one cluster. */
export interface Site {
  readonly name: Name
  readonly path: ScopePath
  /** `top` for the towers' own site, where no applications are placed. */
  readonly type: 'edge' | 'top'
  /** What the file says of this site alone; `siteLabels` adds what it inherits. */
  readonly labels: Labels
  readonly hosts: readonly Host[]
  /** Where sites of the same zone reach its hosts, `host:port`, in the order of the hosts; absent when nowhere. */
  readonly siblings?: readonly string[]
}

/** `zone`: the zone alone. `ancestor`: who is above it as well. */
export type SettledBy = 'zone' | 'ancestor'

/** An interior part of the tree: the towers' root zone, or one behind aggregators. */
export interface Zone {
  readonly path: ScopePath
  readonly labels: Labels
  readonly privacy: boolean
  /** What may leave towards the parent; of no effect at the root. */
  readonly policy: ZonePolicy
  /** Who may end a conflict between the zone's own word and one from above; of no effect at the root. */
  readonly settle: SettledBy
  /** True where this topology is a slice and the zone keeps its names back: what is in it is not known here. */
  readonly withheld?: true
  /** Hosts of the towers or aggregators that run the zone; none of a withheld zone that is no direct child. */
  readonly hosts: readonly Host[]
  /** Where children reach those hosts, `host:port`, in the order to try; empty when set up elsewhere. */
  readonly addresses: readonly string[]
  readonly zones: readonly Zone[]
  readonly sites: readonly Site[]
}

/** A checked topology, patterns written out: plain data that never changes. */
export interface Topology {
  readonly network: Name
  /** The towers' zone, `/`. Its first site is the towers' own, of type `top`. */
  readonly root: Zone
}

/** Bounds of one topology, well above the ten thousand sites it is made for. */
export const topologyLimits = {
  /** Size of the file in bytes. */
  fileBytes: 2 ** 20,
  /** Zones below each other, the root not counted. */
  zoneDepth: 16,
  zones: 2_000,
  sites: 20_000,
  /** Hosts, those of towers and aggregators included. */
  hosts: 50_000,
} as const
