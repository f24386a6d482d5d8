import { type Frame, headBytes } from './frames.ts'
import { type Priority, priorities } from './mesh.ts'

/**
 * Payload bytes of one priority that may wait in this process for a busy link. Four of the largest frames keep any link
 * busy; more would only make newer frames wait.
 */
export const roomBytes = 256 * 1024
/** After so many frames in a row that went before others, the lowest that waits has one turn: no stream starves. */
const turnFrames = 16

/** Frames that wait for a link, the most urgent first, each priority in its own order. */
export interface FrameQueue {
  push(frame: Frame, priority: Priority): void
  /** The next frame, if one waits. */
  shift(): Frame | undefined
  /** Undefined while `priority` has room; else resolves when to ask again. */
  room(priority: Priority): Promise<void> | undefined
  /** Bytes of all that waits, heads included. */
  sizeBytes(): number
  /** Drops all that waits and wakes who waits for room. */
  clear(): void
}

interface Lane {
  readonly frames: Frame[]
  next: number
  waitingBytes: number
  wake: PromiseWithResolvers<void> | undefined
}

export const createFrameQueue = (): FrameQueue => {
  const lanes: readonly Lane[] = priorities.map(() => ({ frames: [], next: 0, waitingBytes: 0, wake: undefined }))
  const laneOf = (priority: Priority) => lanes[priorities.indexOf(priority)]!
  let sizeBytes = 0
  let passedOver = 0

  const costOf = (frame: Frame) => headBytes + frame.payload.byteLength
  const wake = (lane: Lane) => {
    lane.wake?.resolve()
    lane.wake = undefined
  }
  const take = (lane: Lane): Frame => {
    const frame = lane.frames[lane.next++]!
    // Cut off in large pieces: shifting a long array by one is slow.
    if (lane.next === lane.frames.length || lane.next >= 1000) {
      lane.frames.splice(0, lane.next)
      lane.next = 0
    }
    const costBytes = costOf(frame)
    sizeBytes -= costBytes
    lane.waitingBytes -= costBytes
    if (lane.waitingBytes < roomBytes) wake(lane)
    return frame
  }

  return {
    push: (frame, priority) => {
      const lane = laneOf(priority)
      lane.frames.push(frame)
      lane.waitingBytes += costOf(frame)
      sizeBytes += costOf(frame)
    },
    shift: () => {
      const waiting = lanes.filter(({ waitingBytes }) => waitingBytes > 0)
      const first = waiting[0]
      const last = waiting.at(-1)
      if (!first || !last) return undefined
      passedOver = first === last ? 0 : passedOver + 1
      if (passedOver <= turnFrames) return take(first)
      passedOver = 0
      return take(last)
    },
    room: (priority) => {
      const lane = laneOf(priority)
      if (lane.waitingBytes < roomBytes) return undefined
      lane.wake ??= Promise.withResolvers()
      return lane.wake.promise
    },
    sizeBytes: () => sizeBytes,
    clear: () => {
      sizeBytes = 0
      for (const lane of lanes) {
        lane.frames.length = 0
        lane.next = 0
        lane.waitingBytes = 0
        wake(lane)
      }
    },
  }
}
