import type { ReplicationLimits } from './replication-limits.ts'

/** Something to send: its messages are made when their turn comes. */
export interface OutboxTask {
  /** What it keeps in memory until then, in bytes. */
  readonly sizeBytes: number
  readonly messages: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

export interface Outbox {
  /** Whether there was room. Without, everything that waits is dropped with it: the two have to meet again. */
  push(task: OutboxTask): boolean
  stop(): void
}

export interface OutboxOptions {
  readonly limits: ReplicationLimits
  readonly fits: (queuedBytes: number, limits: ReplicationLimits) => boolean
  /** Resolves when the other end may take more. */
  readonly send: (message: Uint8Array) => Promise<void>
  /** Everything is sent. */
  readonly onDrained: () => void
  /** A message could not be made or sent: nothing more is. */
  readonly onFailed: (error: unknown) => void
}

/** One message at a time, in order, in bounded memory. */
export const createOutbox = ({ limits, fits, send, onDrained, onFailed }: OutboxOptions): Outbox => {
  let queue: OutboxTask[] = []
  let queuedBytes = 0
  let isRunning = false
  let isStopped = false

  const run = async () => {
    isRunning = true
    try {
      for (let task = queue.shift(); task !== undefined && !isStopped; task = queue.shift()) {
        queuedBytes -= task.sizeBytes
        for await (const message of task.messages()) {
          if (isStopped) return
          await send(message)
        }
      }
    } catch (error) {
      isStopped = true
      onFailed(error)
    } finally {
      isRunning = false
    }
    if (!isStopped) onDrained()
  }

  return {
    push: (task) => {
      if (isStopped) return true
      // What is large goes alone: with nothing else waiting there is always room.
      if (queue.length > 0 && !fits(queuedBytes + task.sizeBytes, limits)) {
        queue = []
        queuedBytes = 0
        return false
      }
      queue.push(task)
      queuedBytes += task.sizeBytes
      if (!isRunning) void run()
      return true
    },
    stop: () => {
      isStopped = true
      queue = []
    },
  }
}
