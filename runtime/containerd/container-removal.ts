import { rm } from 'node:fs/promises'
import { sleep } from '../../base/index.ts'
import { ContainersError } from '../containers-error.ts'
import { cgroupPids, removeCgroup } from './cgroups.ts'
import { isKind, unless } from './containerd-client.ts'
import type { ContainerdPowers, Engine } from './containerd-engine.ts'
import { type ContainerdOptions, cgroupPath, filesDir, imageNamespace, socketOf } from './containerd-options.ts'
import { shimSocket } from './containerd-process.ts'
import { signalProcess } from './host-processes.ts'

export interface RemovalPlace {
  readonly options: ContainerdOptions
  readonly powers: ContainerdPowers
  readonly engine: Engine
}

export interface Removal {
  readonly namespace: string
  readonly id: string
  readonly tenant: string
  readonly stopSignal: number
  readonly shutdownTimeoutMs: number
}

const sigkill = 9
/** How long the kernel gets to end what was killed, in milliseconds. */
const killTimeoutMs = 10_000
const retryMs = 50
const retries = 40

/** Signals the task and waits for its end; the kill goes to everything in the container. */
const stopTask = async ({ engine, powers }: RemovalPlace, removal: Removal): Promise<void> => {
  const { namespace, id: containerId, stopSignal, shutdownTimeoutMs } = removal
  const { client } = engine
  const found = await client.call('tasks.get', { containerId }, { namespace }).catch(unless('not-found'))
  if (!found || found.process.status === 'STOPPED') return
  const giveUp = new AbortController()
  const waiting = client.call('tasks.wait', { containerId }, { namespace, timeoutMs: 0, signal: giveUp.signal })
  const ended = waiting.then(() => true, unless('not-found')).then(() => true)
  ended.catch(() => {})
  const endsWithin = (ms: number) => Promise.race([ended, sleep(powers.clock, ms, giveUp.signal).then(() => false)])
  const signal = (number: number, all: boolean) =>
    client.call('tasks.kill', { containerId, signal: number, all }, { namespace }).catch(unless('not-found'))
  try {
    if (found.process.status === 'RUNNING' && shutdownTimeoutMs > 0) {
      await signal(stopSignal, false)
      if (await endsWithin(shutdownTimeoutMs)) return
    }
    await signal(sigkill, true)
    if (await endsWithin(killTimeoutMs)) return
    throw new ContainersError(
      'timeout',
      `cannot remove ${containerId}: it did not end within ${killTimeoutMs} ms of its kill`,
    )
  } finally {
    giveUp.abort()
  }
}

/** Deletes the task; right after its end containerd may still call it running, or be burying its shim. */
const deleteTask = async ({ engine, powers }: RemovalPlace, { namespace, id }: Removal): Promise<void> => {
  for (let left = retries; ; left--) {
    try {
      await engine.client.call('tasks.delete', { containerId: id }, { namespace })
      return
    } catch (error) {
      if (isKind(error, 'not-found')) return
      if (left === 0 || isKind(error, 'unavailable', 'timeout')) throw error
      await sleep(powers.clock, retryMs)
    }
  }
}

/**
 * Stops a container politely, then by force, and removes all of it but its log. The task goes before the container and
 * both before the file system, so that a repeated call finds what is left.
 */
export const removeFound = async (place: RemovalPlace, removal: Removal): Promise<void> => {
  const { engine, options } = place
  const { namespace, id, tenant } = removal
  await stopTask(place, removal)
  await deleteTask(place, removal)
  // Processes whose shim was killed have nobody else to end them.
  const cgroup = cgroupPath(options, tenant, id)
  for (const pid of await cgroupPids(cgroup)) signalProcess(pid, 'SIGKILL')
  await engine.client.call('containers.delete', { id }, { namespace }).catch(unless('not-found'))
  const snapshot = { snapshotter: engine.snapshotter, key: id }
  await engine.client
    .call('snapshots.remove', snapshot, { namespace: imageNamespace(options.node) })
    .catch(unless('not-found'))
  await rm(filesDir(options, id), { recursive: true, force: true })
  // Mostly the runtime did it; what is still busy with dying goes with a later sweep.
  await removeCgroup(cgroup).catch(() => {})
  await rm(shimSocket(socketOf(options), namespace, id), { force: true })
}
