/** Instants as containerd's messages carry them. */
export interface Timestamp {
  readonly seconds: number
  readonly nanos: number
}

/** Milliseconds since 1970 of an instant; undefined for none (Go's zero time lies before 1970). */
export const timestampMs = (at: Timestamp | null | undefined): number | undefined =>
  at && at.seconds > 0 ? at.seconds * 1000 + Math.floor(at.nanos / 1e6) : undefined

/** A JSON document with the name of its kind. */
export interface AnyValue {
  readonly type_url: string
  readonly value: Uint8Array
}

export interface Mount {
  readonly type: string
  readonly source: string
  readonly target?: string
  readonly options: readonly string[]
}

export interface BlobDescriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

export type Labels = Readonly<Record<string, string>>

export interface ContainerRecord {
  readonly id: string
  readonly labels: Labels
  readonly image: string
  readonly runtime: { readonly name: string; readonly options?: AnyValue | null } | null
  readonly spec: AnyValue | null
  readonly createdAt?: Timestamp | null
}

export interface TaskProcess {
  readonly containerId: string
  /** In a list of tasks this is the container's id. */
  readonly id: string
  readonly pid: number
  readonly status: 'UNKNOWN' | 'CREATED' | 'RUNNING' | 'STOPPED' | 'PAUSED' | 'PAUSING'
  readonly exitStatus: number
  readonly exitedAt: Timestamp | null
}

export interface ImageRecord {
  readonly name: string
  readonly labels: Labels
  readonly target: BlobDescriptor | null
}

export interface SnapshotRecord {
  readonly name: string
  readonly parent: string
  readonly kind: 'UNKNOWN' | 'VIEW' | 'ACTIVE' | 'COMMITTED'
  readonly labels: Labels
}

type Nothing = Record<string, never>
type TaskName = { containerId: string }
type ExecName = { containerId: string; execId: string }
type SnapshotName = { snapshotter: string; key: string }

/** Every call with one request and one answer that is used here. */
export interface UnaryCalls {
  'containers.get': [{ id: string }, { container: ContainerRecord }]
  'containers.list': [{ filters: readonly string[] }, { containers: readonly ContainerRecord[] }]
  'containers.create': [{ container: ContainerRecord }, { container: ContainerRecord }]
  'containers.delete': [{ id: string }, Nothing]
  'tasks.create': [TaskName & { rootfs: readonly Mount[]; stdout: string; stderr: string }, { pid: number }]
  'tasks.start': [TaskName & { execId?: string }, { pid: number }]
  'tasks.delete': [TaskName, { exitStatus: number }]
  'tasks.deleteProcess': [ExecName, { exitStatus: number }]
  'tasks.get': [TaskName, { process: TaskProcess }]
  'tasks.list': [Nothing, { tasks: readonly TaskProcess[] }]
  'tasks.kill': [TaskName & { execId?: string; signal: number; all?: boolean }, Nothing]
  'tasks.exec': [ExecName & { stdout: string; stderr: string; spec: AnyValue }, Nothing]
  'tasks.wait': [TaskName & { execId?: string }, { exitStatus: number }]
  'images.get': [{ name: string }, { image: ImageRecord }]
  'images.list': [{ filters: readonly string[] }, { images: readonly ImageRecord[] }]
  'images.create': [{ image: ImageRecord }, { image: ImageRecord }]
  'images.update': [{ image: ImageRecord }, { image: ImageRecord }]
  'images.delete': [{ name: string; sync: boolean }, Nothing]
  'content.delete': [{ digest: string }, Nothing]
  'snapshots.prepare': [SnapshotName & { parent: string; labels: Labels }, { mounts: readonly Mount[] }]
  'snapshots.commit': [SnapshotName & { name: string; labels: Labels }, Nothing]
  'snapshots.remove': [SnapshotName, Nothing]
  'snapshots.stat': [SnapshotName, { info: SnapshotRecord }]
  'leases.create': [{ id: string; labels: Labels }, Nothing]
  'leases.delete': [{ id: string; sync?: boolean }, Nothing]
  'leases.list': [{ filters: readonly string[] }, { leases: readonly { id: string }[] }]
  'namespaces.list': [Nothing, { namespaces: readonly { name: string }[] }]
  'namespaces.create': [{ namespace: { name: string; labels: Labels } }, Nothing]
  'namespaces.delete': [{ name: string }, Nothing]
  'version.version': [Nothing, { version: string; revision: string }]
  'diff.apply': [{ diff: BlobDescriptor; mounts: readonly Mount[] }, { applied: BlobDescriptor }]
  'introspection.plugins': [
    { filters: readonly string[] },
    { plugins: readonly { type: string; id: string; initErr: { message: string } | null }[] },
  ]
}

/** Calls that answer with a stream. */
export interface StreamCalls {
  'content.list': [{ filters: readonly string[] }, { info: readonly { digest: string }[] }]
  'content.read': [{ digest: string; offset: number; size: number }, { data: Uint8Array }]
  'snapshots.list': [{ snapshotter: string; filters: readonly string[] }, { info: readonly SnapshotRecord[] }]
  'events.subscribe': [{ filters: readonly string[] }, { namespace: string; topic: string }]
}

export interface WriteRequest {
  readonly action: 'STAT' | 'WRITE' | 'COMMIT'
  readonly ref: string
  readonly total: number
  readonly expected: string
  readonly offset: number
  readonly data?: Uint8Array
  readonly labels?: Labels
}
