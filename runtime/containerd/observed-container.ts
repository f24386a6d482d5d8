import type { ObservedContainer } from '../containers.ts'
import { type CgroupLayout, exitReason, oomKills } from './cgroups.ts'
import { timestampMs } from './containerd-calls.ts'
import type { FoundContainer } from './containerd-engine.ts'
import { type ContainerdOptions, cgroupPath } from './containerd-options.ts'

const optional = <Key extends string>(key: Key, value: number | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: number }

/**
 * One container as the port shows it. Without a task it has run and lost everything at once, as in a power cut or with
 * its shim; unless it is being started just now.
 */
export const observedContainer = (
  { record, labelled, task }: FoundContainer,
  options: ContainerdOptions,
  layout: CgroupLayout,
  isStarting: boolean,
): ObservedContainer => {
  const base = {
    id: record.id,
    owner: labelled.owner,
    imageDigest: labelled.imageDigest,
    pid: 0,
    ...optional('startedAtMs', timestampMs(record.createdAt)),
  }
  if (!task) return isStarting ? { ...base, state: 'created' } : { ...base, state: 'exited', exitReason: 'killed' }
  switch (task.status) {
    case 'CREATED':
      return { ...base, state: 'created', pid: task.pid }
    case 'RUNNING':
    case 'PAUSED':
    case 'PAUSING':
      return { ...base, state: 'running', pid: task.pid }
    case 'STOPPED': {
      const kills = oomKills(layout, cgroupPath(options, labelled.owner.tenant, record.id))
      return {
        ...base,
        state: 'exited',
        exitCode: task.exitStatus,
        exitReason: exitReason(task.exitStatus, kills),
        ...optional('exitedAtMs', timestampMs(task.exitedAt)),
      }
    }
    case 'UNKNOWN':
      return { ...base, state: 'unknown' }
  }
}
