import { type Clock, errorText, formatDuration, type Timer } from '../../base/index.ts'
import { createFrameQueue } from '../frame-queue.ts'
import { createFrameReader, encodeFrames, type Frame, GarbageError, payloadText } from '../frames.ts'
import { encodeHello, judgeHello } from '../hello.ts'
import { type PeerKey, type Priority, patientBeats, silentBeats } from '../mesh.ts'
import { createStreamLink, type StreamLink } from '../stream-link.ts'
import type { RefusalKind } from './refusals.ts'

/** An ordered, authenticated stream of bytes that carries one link. */
export interface Carrier {
  /** False when nothing more should be sent until `drained`. @throws when it is closed already. */
  send(bytes: Uint8Array): boolean
  /** Ends it at once; what was sent and not yet left is lost. */
  destroy(reason: string): void
  /** When a byte of the other end came last, on the monotonic clock in milliseconds. */
  heardMs(): number
}

export interface WireOptions {
  readonly peer: PeerKey
  readonly dialed: boolean
  readonly carrier: Carrier
  readonly clock: Clock
  readonly heartbeatMs: number
  readonly version: number
  /** The greeting is through: from now on what the peer sends is a link. */
  readonly onJoined: (link: StreamLink) => void
  readonly onRefused: (kind: RefusalKind, words: string) => void
  /** Nothing of this wire is left. */
  readonly onGone: (reason: string) => void
}

/** One end of a link over a carrier: greeting, frames by priority, signs of life, a polite end. */
export interface Wire {
  take(chunk: Uint8Array): void
  drained(): void
  /** The carrier is gone. */
  lost(reason: string): void
}

/** How long a polite end may take before the carrier is torn down, in milliseconds. */
const hangUpMs = 1000
/** Bytes handed to the carrier at once: one Noise message, so that a more urgent frame waits for no more than that. */
const batchBytes = 64 * 1024
/**
 * Steps of promises for which frames are gathered: a stream that is opened and its question, or an answer and its end, leave as
 * one message of Noise, which costs a cipher and a system call at both ends.
 */
const gatherSteps = 16
/**
 * Bytes that may wait for the carrier, of messages and of answers to what the peer does. Messages stay below three times
 * the room of the queue; only a peer that makes us answer and reads nothing gets here.
 */
const maxQueuedBytes = 4 * 1024 * 1024
/** Beats of many links fall on the same moments, so many a heartbeat: who wakes for one of them does all that are due. */
const momentsPerBeat = 10
/** The end of a stream waits so long for company, in milliseconds: mostly the next question is about to be asked. */
const closeWaitsMs = 10
const empty: Uint8Array = new Uint8Array(0)

export const createWire = (options: WireOptions): Wire => {
  const { peer, dialed, carrier, clock, heartbeatMs, version } = options
  const read = createFrameReader()
  const queue = createFrameQueue()
  let link: StreamLink | undefined
  let timer: Timer | undefined
  let wroteMs = clock.monotonicMs()
  /** When the next beat is due; and how long beats were late since a byte of the other end came. */
  let dueMs = wroteMs
  let deafMs = 0
  let heardMs = carrier.heardMs()
  let blocked = false
  let pumping = false
  /** Until the ends of streams that wait for company leave alone. */
  let alone: Timer | undefined
  /** Nothing of the peer counts any more; what waits may still leave. */
  let leaving = false
  let over = false

  const drop = (reason: string) => {
    if (over) return
    over = true
    timer?.cancel()
    alone?.cancel()
    queue.clear()
    link?.end(reason)
    carrier.destroy(reason)
    options.onGone(reason)
  }
  const nextBatch = (): Uint8Array | undefined => {
    const frames: Frame[] = []
    for (let sizeBytes = 0; sizeBytes < batchBytes; ) {
      const frame = queue.shift()
      if (!frame) break
      frames.push(frame)
      sizeBytes += frame.payload.byteLength + 16
    }
    return frames.length > 0 ? encodeFrames(frames) : undefined
  }
  const pump = () => {
    pumping = false
    alone?.cancel()
    alone = undefined
    try {
      while (!blocked && !over) {
        const batch = nextBatch()
        if (!batch) return
        wroteMs = clock.monotonicMs()
        blocked = !carrier.send(batch)
      }
    } catch (error) {
      drop(`the connection broke: ${errorText(error)}`)
    }
  }
  /** Waits without waiting for the machine: what is asked, and what answers, is written in a few steps of one turn. */
  const pumpSoon = (steps: number): Promise<void> =>
    Promise.resolve().then(() => (steps > 1 ? pumpSoon(steps - 1) : pump()))
  const write = (frame: Frame, priority: Priority = 'control', steps = gatherSteps) => {
    if (over) return
    queue.push(frame, priority)
    if (queue.sizeBytes() > maxQueuedBytes) return drop('the other end does not read')
    if (pumping || blocked) return
    if (frame.kind === 'close') {
      alone ??= clock.setTimer(closeWaitsMs, pump)
      return
    }
    pumping = true
    void pumpSoon(steps)
  }
  const say = (kind: Frame['kind'], payload = empty, priority?: Priority) =>
    write({ kind, stream: 0, payload }, priority)
  const leave = (reason: string) => {
    leaving = true
    timer?.cancel()
    timer = clock.setTimer(hangUpMs, () => drop(reason))
  }
  const hangUp = () => {
    // After all that was written: the lowest priority, and the last of it.
    say('bye', empty, 'bulk')
    leave('closed here')
  }
  const gridMs = heartbeatMs / momentsPerBeat
  const onGrid = (atMs: number): number => Math.round(atMs / gridMs) * gridMs
  /** Whatever was written a moment ago is a sign of life as good as any. */
  const giveSign = (nowMs: number) => {
    if (nowMs - wroteMs < heartbeatMs / 2) return
    wroteMs = nowMs
    // Nothing is to be gathered with it: who had something to say wrote a moment ago.
    write({ kind: 'ping', stream: 0, payload: empty }, 'control', 1)
  }
  const beat = () => {
    const nowMs = clock.monotonicMs()
    if (carrier.heardMs() !== heardMs) deafMs = 0
    heardMs = carrier.heardMs()
    // While this end was too busy to beat it was too busy to listen: what came lies unread, and is no silence of the other.
    deafMs += Math.max(0, nowMs - Math.max(dueMs, heardMs))
    const silentMs = nowMs - heardMs - deafMs
    const leftMs = (dialed ? silentBeats : patientBeats) * heartbeatMs - silentMs
    if (leftMs <= 0) return drop(`nothing heard for ${formatDuration(silentMs)}`)
    giveSign(nowMs)
    dueMs = leftMs < heartbeatMs - gridMs ? nowMs + leftMs : onGrid(wroteMs) + heartbeatMs
    timer = clock.setTimer(dueMs - nowMs, beat)
  }
  const refuse = (kind: RefusalKind, here: string) => {
    options.onRefused(kind, here)
    leave(here)
  }
  const greet = (frame: Frame) => {
    if (frame.kind === 'refuse') {
      options.onRefused('other-version', `the other end refused: ${payloadText(frame.payload)}`)
      return drop(`it says: ${payloadText(frame.payload)}`)
    }
    const verdict = frame.kind === 'hello' ? judgeHello(frame.payload, version) : undefined
    if (verdict?.kind === 'other-version') {
      say('refuse', new TextEncoder().encode(verdict.toPeer))
      refuse('other-version', verdict.here)
      return
    }
    if (verdict?.kind !== 'welcome') throw new GarbageError('no greeting')
    if (!dialed) say('hello', encodeHello(version))
    const heardAgeMs = () => clock.monotonicMs() - carrier.heardMs()
    link = createStreamLink({ peer, dialed, write, room: queue.room, heardAgeMs, hangUp })
    dueMs = clock.monotonicMs()
    beat()
    options.onJoined(link)
  }
  const receive = (frame: Frame) => {
    if (over) return
    // Also while leaving: two ends that close at once must not wait for each other.
    if (link && frame.kind === 'bye') return drop(`closed by ${peer}`)
    if (leaving) return
    // Answered now, while both ends are awake, and not when the own beat is due; one that beats faster is content with that too.
    if (link && frame.kind === 'ping') giveSign(clock.monotonicMs())
    if (!link) greet(frame)
    else if (frame.kind === 'refuse') drop(`the other end refused: ${payloadText(frame.payload)}`)
    else link.receive(frame)
  }

  if (dialed) say('hello', encodeHello(version))
  return {
    take: (chunk) => {
      if (over) return
      try {
        for (const frame of read(chunk)) receive(frame)
      } catch (error) {
        if (!(error instanceof GarbageError)) throw error
        options.onRefused(error.kind, `it sent garbage and was cut off: ${error.message}`)
        drop(error.message)
      }
    },
    drained: () => {
      blocked = false
      pump()
    },
    lost: (reason) => drop(link && leaving ? 'closed here' : reason),
  }
}
