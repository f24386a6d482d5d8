import type { ContainerState, DriverFacts, ExitReason, PortMapping } from './containers.ts'
import type { ProbeKind } from './desired.ts'

/** Why something wanted is not here yet. The closed list that `explain` has words for. */
export type WaitingReason =
  | 'engine-unavailable'
  | 'image-not-here'
  | 'fetching-image'
  | 'image-refused'
  | 'needs-containerd'
  | 'no-free-port'
  | 'port-taken'
  | 'network-failed'
  | 'disk-full'
  | 'start-failed'
  | 'crash-loop'
  | 'backing-off'
  | 'out-of-memory'
  | 'probe-failing'
  | 'starting'
  | 'stopping-old'

/** One thing that is not here yet, and since when. Ages in milliseconds, on the monotonic clock. */
export interface Waiting {
  readonly reason: WaitingReason
  /** The instance it is about, where it is about one. */
  readonly instance?: string
  readonly container?: string
  /** The engine's or the network's own words, the image's name, the probe that fails: what a person needs to act. */
  readonly detail: string
  readonly forMs: number
  /** When the next try comes, where that is known. */
  readonly retryInMs?: number
}

export type ProbeStatus = 'pending' | 'success' | 'failure'

export interface ContainerStatus {
  readonly name: string
  /** `absent` when no container exists; otherwise what the engine says. */
  readonly state: ContainerState | 'absent'
  readonly id?: string
  readonly pid: number
  readonly specHash: string
  readonly imageDigest?: string
  readonly startedAtMs?: number
  /** How the last one ended. */
  readonly lastExit?: { readonly code: number; readonly reason: ExitReason }
  /** Restarts since it was last stable or changed. */
  readonly currentRestarts: number
  /** Restarts since this node began to count; kept over its own restarts while the container lives. */
  readonly totalRestarts: number
  readonly probes: Readonly<Partial<Record<ProbeKind, ProbeStatus>>>
  readonly ready: boolean
}

export interface InstanceStatus {
  readonly id: string
  readonly service: string
  readonly addresses: readonly string[]
  readonly ports: readonly PortMapping[]
  readonly containers: readonly ContainerStatus[]
  readonly ready: boolean
}

export interface ApplicationStatus {
  readonly tenant: string
  readonly application: string
  readonly version: string
  readonly revision: string
  readonly deployment: string
  readonly phase: 'run' | 'retired'
  readonly images: readonly { readonly name: string; readonly digest: string; readonly state: 'present' | 'missing' }[]
  readonly instances: readonly InstanceStatus[]
  readonly waiting: readonly Waiting[]
}

/** What one host says of itself: plain data, ages in milliseconds. */
export interface HostStatus {
  readonly engine: { readonly state: 'up' | 'unavailable'; readonly forMs: number; readonly error?: string }
  readonly facts?: DriverFacts
  /** Host ports this node may give out, both ends included. */
  readonly portRange: readonly [number, number]
  /** Age of the list everything below rests on; absent before the first one. */
  readonly observedAgeMs?: number
  readonly applications: readonly ApplicationStatus[]
}
