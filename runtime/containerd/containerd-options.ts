/** Where a node's containerd is and what of the host the node may use. All paths absolute. */
export interface ContainerdOptions {
  readonly engine:
    | { readonly kind: 'system'; readonly socket: string }
    | {
        readonly kind: 'child'
        /** Persistent: images, snapshots, metadata. */
        readonly root: string
        /** Volatile: what runs. */
        readonly state: string
        /** @default `<state>/containerd.sock` */
        readonly socket?: string
        /** @default `containerd`, looked up in PATH */
        readonly binary?: string
      }
  /** Unique on the host; the label `skerry/node` of all that is ours. At most 63 letters, digits and inner dashes. */
  readonly node: string
  /** Persistent: logs, network records, files put into containers. */
  readonly dataDir: string
  /** Volatile, on a file system that a power cut clears: network namespaces, sockets. Short: sockets have 104 bytes. */
  readonly runDir: string
  /** Where the CNI plugins `bridge`, `host-local`, `loopback` and `portmap` are. @default `/usr/lib/cni` */
  readonly cniDir?: string
  /** Name of the node's own bridge device, at most 15 characters. */
  readonly bridge: string
  /** The bridge's addresses, like `10.213.5.0/24`; no two nodes of a host share one. */
  readonly subnet: string
  /** Where ingress ports listen. `127.0.0.1`: this host alone; `0.0.0.0`: everyone. */
  readonly hostAddress: '127.0.0.1' | '0.0.0.0'
  /** The cgroup all containers are under. @default `/skerry` */
  readonly cgroupParent?: string
}

/** Identifiers of containerd: words joined by single `.`, `_` or `-`, at most 76 characters. */
const identifier = /^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$/

/** Names with two dashes in a row are legal for us and not for containerd: they are written in hexadecimal. */
const safe = (prefix: string, name: string): string => {
  const plain = `${prefix}${name}`
  if (identifier.test(plain) && plain.length <= 76) return plain
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(name)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return `${prefix}x.${hash.toString(16).padStart(16, '0')}`
}

const tenantPrefix = 'skerry-'

/** The containerd namespace of a tenant's containers; shared by the nodes of a host, told apart by label. */
export const tenantNamespace = (tenant: string): string => safe(tenantPrefix, tenant)

export const isTenantNamespace = (namespace: string): boolean => namespace.startsWith(tenantPrefix)

/**
 * The containerd namespace of a node's images and of the file systems made from them. Images have no tenant; who may
 * start which is decided before the driver is asked. No tenant's namespace can have this name: theirs begin otherwise.
 */
export const imageNamespace = (node: string): string => safe('skerry.images.', node)

export const socketOf = ({ engine }: ContainerdOptions): string =>
  engine.kind === 'system' ? engine.socket : (engine.socket ?? `${engine.state}/containerd.sock`)

/** The cgroup above those of all nodes of this host. */
export const cgroupParent = ({ cgroupParent: given = '/skerry' }: ContainerdOptions): string => given

/** The cgroup above all containers of the node. */
export const nodeCgroup = (options: ContainerdOptions): string => `${cgroupParent(options)}/${options.node}`

/** The cgroup of one container, as the runtime takes it. */
export const cgroupPath = (options: ContainerdOptions, tenant: string, id: string): string =>
  `${nodeCgroup(options)}/${tenant}/${id}`

/** Files put into one container. */
export const filesDir = ({ dataDir }: ContainerdOptions, id: string): string => `${dataDir}/containers/${id}`
