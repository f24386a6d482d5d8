import type { ContainerSpec } from './containers.ts'

/** How to ask a container whether it is well. Times in milliseconds. */
export interface ProbeSpec {
  readonly check:
    | { readonly kind: 'exec'; readonly args: readonly string[] }
    | { readonly kind: 'http'; readonly port: number; readonly path: string }
    | { readonly kind: 'tcp'; readonly port: number }
  readonly initialDelayMs: number
  readonly periodMs: number
  readonly timeoutMs: number
  /** So many failures in a row make it fail. */
  readonly failureThreshold: number
  /** So many successes in a row make it succeed again. */
  readonly successThreshold: number
}

export type ProbeKind = 'startup' | 'readiness' | 'liveness'

export interface DesiredContainer {
  readonly name: string
  readonly spec: ContainerSpec
  /** Hash over `spec` and nothing else: a change of probes or of a sibling does not restart it. */
  readonly specHash: string
  readonly probes: Readonly<Partial<Record<ProbeKind, ProbeSpec>>>
}

/** One instance of a service that this host is to run. */
export interface DesiredInstance {
  /** `<application>.<service>-<n>`, n from 1. */
  readonly id: string
  readonly service: string
  /** Ports of the instance reachable from outside; the host port is chosen from the host's range by the planner. */
  readonly ingress: readonly { readonly protocol: 'tcp' | 'udp'; readonly port: number }[]
  /** Hash over what makes the network; when it changes the whole instance is made anew. */
  readonly networkHash: string
  readonly containers: readonly DesiredContainer[]
}

/** What one host is to do for one application. Plain data; absent never means stop, only `retired` does. */
export interface DesiredApplication {
  readonly tenant: string
  readonly application: string
  readonly version: string
  /** Hash of the whole application specification. */
  readonly revision: string
  /** The deployment that put it here. */
  readonly deployment: string
  readonly phase: 'run' | 'retired'
  readonly instances: readonly DesiredInstance[]
  /** Images the revision names, each with where its archive can be had. */
  readonly images: readonly DesiredImage[]
}

export interface DesiredImage {
  readonly name: string
  /** Manifest digest, pinned when the application was saved. */
  readonly digest: string
  /** sha256 of the OCI archive that holds it, the name under which the parent serves it. */
  readonly archive: string
}
