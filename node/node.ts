import type { Clock, Log, Random } from '../base/index.ts'
import type { AuthorityPowers, LaneName, Store } from '../crdt/index.ts'
import type { Mesh } from '../mesh/index.ts'
import type { Containers, ProbeRunner } from '../runtime/index.ts'
import type { Topology } from '../topologies/index.ts'
import type { ApiServices } from './api/index.ts'
import { assembleNode, type RunningNode } from './assemble.ts'
import type { NodeConfig } from './config.ts'
import type { NodeGuards } from './guards.ts'
import type { BlobStore, StateFile } from './powers/index.ts'
import type { Hash } from './services/deployments/index.ts'

/** Everything a node can do to the world. Production and simulation hand in different ones. */
export interface NodePowers {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Makes the network of this node, once its key and its network are known. */
  readonly openMesh: (identity: {
    /** 32 secret bytes. */
    readonly seed: Uint8Array
    /** 64 hexadecimal digits, each. */
    readonly peerKey: string
    readonly networkId: string
  }) => Mesh
  readonly store: Store
  readonly authority: AuthorityPowers
  readonly hash: Hash
  readonly blobs: BlobStore
  readonly stateFile: <Value>(name: string) => StateFile<Value>
  /** What runs containers; an edge's alone. */
  readonly containers?: Containers
  /** The network that HTTP and TCP probes go over. @default that of the machine */
  readonly probes?: ProbeRunner
  /** The part of the tree this node may read; none at an edge. */
  readonly topology?: Topology
  /** What the machine is known by. */
  readonly hostId: string
  /** One-time tokens to join with. */
  readonly joinTokens: () => readonly string[]
  /** Whether the machine's time of day may be believed. */
  readonly isTimeTrusted: () => boolean
  readonly version: string
  readonly pid: number
  /** Resident memory of the process. */
  readonly rssBytes: () => number
  /**
   * Taken instead of what certificates and policies say of a lane on a link: a trial answers yes to show that its search
   * finds what then leaves. No option of a node leads here. @default absent, as in every node that is started
   */
  readonly mayRead?: (lane: LaneName) => boolean
  /**
   * What the node asks before it believes, sends, keeps or does something, with one question left out: a proof shows that
   * a checker then finds what is broken. No option of a node leads here. @default absent, as in every node that is started
   */
  readonly guards?: NodeGuards
  /** When this node seals a lane of its own, in changes and bytes. @default those of the design */
  readonly sealLimits?: { readonly changes: number; readonly sizeBytes: number }
}

export interface SkerryNode {
  /** There once `start` resolved. */
  readonly services: ApiServices
  /** 64 hexadecimal digits; there once `start` resolved. */
  readonly networkId: string
  start(): Promise<void>
  /** Lets go of everything; containers run on. */
  stop(): Promise<void>
}

/** Puts one node together. Nothing happens before `start`. */
export const createNode = (config: NodeConfig, powers: NodePowers): SkerryNode => {
  let running: RunningNode | undefined
  const started = (): RunningNode => {
    if (running === undefined) throw new RangeError(`${config.name} was not started`)
    return running
  }
  return {
    get services() {
      return started().services
    },
    get networkId() {
      return started().networkId
    },
    start: async () => {
      running ??= await assembleNode(config, powers)
      await running.start()
    },
    stop: async () => running?.stop(),
  }
}
