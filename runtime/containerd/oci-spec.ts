import type { ContainerSpec } from '../containers.ts'
import type { ImageConfig } from '../oci/index.ts'

/** What a specification needs beyond what was asked for: places on this host and what the host can do. */
export interface SpecPlace {
  readonly hostname: string
  readonly cgroupPath: string
  /** The network namespace to join; absent for an empty one of its own. */
  readonly netns?: string
  readonly user: { readonly uid: number; readonly gid: number }
  /** Files put into the container, host path → path inside; read-only. */
  readonly files: readonly { readonly source: string; readonly path: string; readonly writable?: boolean }[]
  /** The most open files a process here may be allowed. */
  readonly maxOpenFiles: number
  readonly countsSwap: boolean
}

const typeUrl = 'types.containerd.io/opencontainers/runtime-spec/1/'
export const asSpec = (kind: 'Spec' | 'Process', value: unknown) => ({
  type_url: `${typeUrl}${kind}`,
  value: Buffer.from(JSON.stringify(value)),
})

/** What engines leave to a container by custom (Docker's default set); each is limited by its namespaces. */
const capabilities = [
  'CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID', 'SETFCAP', 'SETPCAP',
  'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE',
].map((name) => `CAP_${name}`) // biome-ignore format: a table

/** Paths of the host's kernel that a container may not read, or not change (the custom of OCI engines). */
const maskedPaths = [
  '/proc/acpi', '/proc/asound', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list',
  '/proc/timer_stats', '/proc/sched_debug', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap',
] // biome-ignore format: a table
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

const systemMounts = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
  { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'] },
  { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'] },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', 'nosuid', 'noexec', 'nodev'] },
] // biome-ignore format: a table

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Processes and threads of one container; a fork bomb ends here and not at the host's own bound. */
const maxProcesses = 4096
/** The kernel's own period, in microseconds. */
const cpuPeriodUs = 100_000

/** The command: the specification's words replace the image's, and a new entrypoint drops the image's cmd too. */
export const commandOf = (spec: Pick<ContainerSpec, 'entrypoint' | 'cmd'>, image: ImageConfig): readonly string[] =>
  spec.entrypoint ? [...spec.entrypoint, ...(spec.cmd ?? [])] : [...image.entrypoint, ...(spec.cmd ?? image.cmd)]

const resources = (spec: ContainerSpec, countsSwap: boolean) => ({
  devices: [{ allow: false, access: 'rwm' }],
  pids: { limit: maxProcesses },
  // Swap as large as memory means: no swap. Without it a limit only moves the container to the disk.
  ...(spec.memoryBytes === undefined
    ? {}
    : { memory: { limit: spec.memoryBytes, ...(countsSwap ? { swap: spec.memoryBytes } : {}) } }),
  ...(spec.cpuMillis === undefined
    ? {}
    : {
        cpu: {
          period: cpuPeriodUs,
          // The kernel takes no quota under 1 ms.
          quota: Math.max(1000, Math.round((spec.cpuMillis / 1000) * cpuPeriodUs)),
          shares: Math.max(2, Math.round((spec.cpuMillis / 1000) * 1024)),
        },
      }),
})

/** The OCI runtime specification of one container (version 1.0.2). */
export const ociSpec = (spec: ContainerSpec, image: ImageConfig, place: SpecPlace) => ({
  ociVersion: '1.0.2',
  process: {
    terminal: false,
    user: place.user,
    args: commandOf(spec, image),
    env: Object.entries({ PATH: defaultPath, HOSTNAME: place.hostname, ...image.env, ...spec.env }).map(
      ([key, value]) => `${key}=${value}`,
    ),
    cwd: image.workingDir,
    noNewPrivileges: true,
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    rlimits: [{ type: 'RLIMIT_NOFILE', hard: place.maxOpenFiles, soft: place.maxOpenFiles }],
  },
  root: { path: 'rootfs', readonly: false },
  hostname: place.hostname,
  mounts: [
    ...systemMounts,
    ...place.files.map(({ source, path, writable }) => ({
      destination: path,
      type: 'bind',
      source,
      options: ['rbind', 'nosuid', 'nodev', writable ? 'rw' : 'ro', 'rprivate'],
    })),
  ],
  linux: {
    cgroupsPath: place.cgroupPath,
    namespaces: [
      ...['pid', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({ type })),
      place.netns === undefined ? { type: 'network' } : { type: 'network', path: place.netns },
    ],
    resources: resources(spec, place.countsSwap),
    maskedPaths,
    readonlyPaths,
  },
})
export type OciSpec = ReturnType<typeof ociSpec>

/**
 * The process to run beside the first one: its rights, user, directory and environment, other words.
 * @param root where the container's root is in its mount namespace, as `/proc/<pid>/root` says. @default `/`
 */
export const execProcess = (spec: OciSpec, args: readonly string[], root = '/') => {
  const process = { ...spec.process, args, terminal: false }
  if (root === '/') return process
  // runc enters a mount namespace at its own root. Where this host is a chroot, that is the root around it and not the
  // container's, which hangs at `root`: go there first, and take the container's user only then.
  const { uid, gid } = spec.process.user
  const enter = ['/usr/sbin/chroot', `--userspec=+${uid}:+${gid}`, '--groups=', root, ...args]
  return { ...process, args: enter, cwd: '/', user: { ...spec.process.user, uid: 0, gid: 0 } }
}
