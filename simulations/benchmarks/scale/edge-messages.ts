import type { ScaleSite } from './scale-topology.ts'

/** An edge to be started: where it belongs, and the one-time token it joins with. */
export interface EdgeToStart extends ScaleSite {
  readonly parent: string
  readonly token: string
}

/** What a process of edges is told. */
export type ToEdges =
  | {
      readonly kind: 'join'
      readonly networkId: string
      readonly atOnce: number
      readonly edges: readonly EdgeToStart[]
    }
  /** What an archive holds, for the simulated engines: by no other way do they know an image. */
  | { readonly kind: 'image'; readonly archive: string; readonly name: string; readonly digest: string }
  /** Says `synced` once the edges of these zones accepted a version and are linked, or so many milliseconds have passed. */
  | { readonly kind: 'watch'; readonly version: string; readonly scopes: readonly string[]; readonly withinMs: number }
  | { readonly kind: 'count' }
  | { readonly kind: 'stop' }

export interface EdgeCounts {
  readonly linked: number
  /** Edges that do not hold a link, by the parent's refusal or the last error. */
  readonly unlinked: Readonly<Record<string, number>>
  /** Bytes read and written at the sockets of links, since the process started. */
  readonly bytes: number
}

/** What it says. Moments are milliseconds of this machine's monotonic clock, the same in all processes. */
export type FromEdges =
  | { readonly kind: 'ready' }
  /** All are linked, and so admitted with a certificate; when the last one was. */
  | { readonly kind: 'joined'; readonly atMs: number }
  | { readonly kind: 'accepted'; readonly version: string; readonly atMs: readonly number[] }
  | { readonly kind: 'synced'; readonly version: string; readonly atMs: number; readonly missing: number }
  | { readonly kind: 'counts'; readonly counts: EdgeCounts }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'stopped' }

/** The monotonic clock all processes of this machine share. */
export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6
