/** What wants the container on this host, kept with the container itself: the only memory that survives us. */
export interface ContainerOwner {
  readonly tenant: string
  readonly application: string
  readonly service: string
  /** `<application>.<service>-<n>`: the smallest scheduled unit; its containers share one network. */
  readonly instance: string
  readonly container: string
  /** The application's version as people write it; empty where there is none. */
  readonly version: string
  /** Hash of the whole application revision it was started from. */
  readonly revision: string
  /** Hash of everything that makes this one container what it is; unchanged means untouched. */
  readonly specHash: string
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown'

/** Why a container ended. `oom` is read from the cgroup's counter; an exit code of 137 alone proves nothing. */
export type ExitReason = 'exited' | 'killed' | 'oom'

/** One container of ours as the driver found it. */
export interface ObservedContainer {
  /** The driver's id; unique on the host. */
  readonly id: string
  readonly owner: ContainerOwner
  readonly state: ContainerState
  /** Digest of the image it was made from. */
  readonly imageDigest: string
  /** Process id on the host, 0 when not running. */
  readonly pid: number
  readonly exitCode?: number
  readonly exitReason?: ExitReason
  /** Wall milliseconds; shown only. */
  readonly startedAtMs?: number
  /** Wall milliseconds; shown only. */
  readonly exitedAtMs?: number
}

export interface PortMapping {
  readonly protocol: 'tcp' | 'udp'
  readonly containerPort: number
  readonly hostPort: number
}

/** The network one instance lives in. */
export interface ObservedNetwork {
  readonly instance: string
  readonly tenant: string
  /** Hash of what was asked for, so that a change of ports is seen. */
  readonly networkHash: string
  /** `lost` when only the record survived, as after a power cut: attach it again, with the same ports. */
  readonly state: 'attached' | 'lost'
  /** Addresses of the instance, without prefix length. */
  readonly addresses: readonly string[]
  readonly ports: readonly PortMapping[]
}

/** An image this host holds, unpacked and ready to start. */
export interface ObservedImage {
  /** The name it is known by, like `demo/shop:1`. */
  readonly name: string
  /** Digest of its manifest. */
  readonly digest: string
  readonly sizeBytes: number
  /** True when its configuration carries the label `skerry/process`. */
  readonly runsAsProcess: boolean
}

/** Everything of ours on this host at one moment. */
export interface ObservedHost {
  readonly containers: readonly ObservedContainer[]
  readonly networks: readonly ObservedNetwork[]
  readonly images: readonly ObservedImage[]
}

/** Files of a config-map put into a container: a directory of named files, or one file. */
export type ConfigMount =
  | { readonly kind: 'directory'; readonly path: string; readonly files: Readonly<Record<string, string>> }
  | { readonly kind: 'file'; readonly path: string; readonly data: string }

/** All a driver needs to start one container; nothing is left to choose. */
export interface ContainerSpec {
  readonly image: string
  /** Replaces the image's entrypoint; then the image's cmd does not apply either (the rule of OCI engines). */
  readonly entrypoint?: readonly string[]
  readonly cmd?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly user?: { readonly uid: number; readonly gid: number }
  /** Upper bound of memory in bytes, swap included. */
  readonly memoryBytes?: number
  /** Upper bound of processor time in thousandths of one core. */
  readonly cpuMillis?: number
  readonly mounts: readonly ConfigMount[]
  /** From the polite signal to the kill, in milliseconds. */
  readonly shutdownTimeoutMs: number
  /** Bytes of log kept on this host for the container, older ones are dropped. */
  readonly logSizeBytes: number
}

export interface NetworkSpec {
  readonly instance: string
  readonly tenant: string
  readonly networkHash: string
  readonly ports: readonly PortMapping[]
}

export interface ExecResult {
  readonly exitCode: number
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** True when output past the bound was dropped. */
  readonly truncated: boolean
}

export interface LogRecord {
  /** Raw bytes as the container wrote them, not split at lines. */
  readonly bytes: Uint8Array
}

/** What a driver can hold to; what it cannot is said in status and never pretended. */
export interface DriverFacts {
  readonly driver: 'containerd' | 'process' | 'simulated'
  /** Version of the thing adapted, like `containerd 1.6.20`. */
  readonly version: string
  readonly enforcesLimits: boolean
  /** `bridge`: own address per instance; `host`: instances share the host's network. */
  readonly network: 'bridge' | 'host'
  readonly cgroup: 'v1' | 'v2' | 'hybrid' | 'none'
  /** Name of the bridge device and its subnet, where there is one. */
  readonly bridge?: string
  readonly subnet?: string
}

/**
 * The port to whatever runs containers on one host. Every call is idempotent: doing what is done already is no error.
 * A failed call leaves nothing half made that a later `observe` would not show or a repeated call would not mend.
 * It touches only what carries this node's labels.
 */
export interface Containers {
  /** Connects, and starts the engine where that is the driver's own; may be called again after a loss. */
  start(): Promise<void>
  /** Lets go; containers run on. */
  stop(): Promise<void>
  facts(): Promise<DriverFacts>
  /** The truth. @throws {ContainersError} `engine-unavailable` when the engine does not answer: unknown, not dead. */
  observe(): Promise<ObservedHost>
  /** Calls `wake` when something may have changed: a hint, can be lost or repeated. Returns how to stop it. */
  watch(wake: () => void): () => void

  /**
   * Imports every image of an OCI archive (a tar file at `path`) and unpacks it.
   * @returns the images now held, named by their `org.opencontainers.image.ref.name` annotation or the archive's
   * `io.containerd.image.name` annotation.
   * @throws {ContainersError} `bad-image` when the archive is malformed or a digest does not match; nothing is kept.
   */
  importImage(path: string, options?: { signal?: AbortSignal }): Promise<readonly ObservedImage[]>
  removeImage(name: string): Promise<void>

  /** Gives the instance its network. @throws {ContainersError} `port-taken`, `network-failed`. */
  attachNetwork(spec: NetworkSpec): Promise<ObservedNetwork>
  /** Takes the network away and frees addresses and ports; works on a record whose network is lost. */
  detachNetwork(tenant: string, instance: string): Promise<void>

  /**
   * Creates and starts a container in its instance's network. When one with the same owner exists it must be stopped
   * and removed before.
   * @throws {ContainersError} `image-missing`, `needs-containerd`, `start-failed` (with the engine's words).
   */
  startContainer(owner: ContainerOwner, spec: ContainerSpec): Promise<ObservedContainer>
  /** Polite signal, `shutdownTimeoutMs`, kill of everything in its cgroup, then removal. */
  removeContainer(id: string, options: { shutdownTimeoutMs: number }): Promise<void>

  /**
   * Runs a command inside a running container and waits for it.
   * @throws {ContainersError} `not-running`, `exec-failed`, `timeout`.
   */
  exec(
    id: string,
    options: { args: readonly string[]; timeoutMs: number; maxOutputBytes: number; signal?: AbortSignal },
  ): Promise<ExecResult>

  /**
   * Reads what the container wrote, oldest first: the last `tailBytes` of what is kept, then, with `follow`, what
   * comes until `signal` aborts. Survives restarts of the same owner: the log belongs to the owner, not the id.
   */
  readLog(
    owner: Pick<ContainerOwner, 'tenant' | 'instance' | 'container'>,
    options: { tailBytes: number; follow: boolean; signal?: AbortSignal },
  ): AsyncIterable<LogRecord>

  /** Cuts logs that outgrew their bound; called from time to time. */
  trimLogs(): Promise<void>

  /** Where a TCP or HTTP probe or request from the host reaches `port` of the instance. */
  addressOf(instance: string, tenant: string, port: number): Promise<{ host: string; port: number } | undefined>
}

export type ContainersErrorCode =
  | 'engine-unavailable'
  | 'bad-image'
  | 'image-missing'
  | 'needs-containerd'
  | 'start-failed'
  | 'not-running'
  | 'exec-failed'
  | 'timeout'
  | 'port-taken'
  | 'network-failed'
  | 'disk-full'
