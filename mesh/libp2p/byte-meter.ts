import type { MultiaddrConnection } from '@libp2p/interface'
import type { Clock } from '../../base/index.ts'

/** What came in on a connection below Noise and Yamux, which put no bound on what they hold. */
export interface Meter {
  /** When the last byte came, on the monotonic clock in milliseconds. */
  heardMs(): number
  /** From now on at most `bytes` may come until `settle`; one more calls `over`, and nothing of it is read. */
  allow(bytes: number, over: () => void): void
  /** What came so far was of use: count from zero. */
  settle(): void
}

interface Metered extends MultiaddrConnection {
  onData?: (bytes: { byteLength: number }) => void
  sendReset?: () => void
  readonly websocket?: WebSocket & { readonly terminate?: () => void }
}

const meters = new WeakMap<MultiaddrConnection, Meter>()

/**
 * The meter of a connection, made when first asked for. All data of the transports passes `onData`: it is the one place
 * below every buffer.
 */
export const meterOf = (connection: MultiaddrConnection, clock: Clock): Meter => {
  const known = meters.get(connection)
  if (known) return known
  const metered: Metered = connection
  const { onData, websocket } = metered
  if (typeof onData !== 'function') throw new Error('a connection of libp2p is not what the meter was made for')
  if (websocket) {
    // A message that breaks a rule is an error of the socket, and an error nobody listens to ends the process.
    websocket.addEventListener('error', () => {})
    // libp2p resets with a close code that no WebSocket accepts, and so leaves the connection open.
    metered.sendReset = () => (websocket.terminate ? websocket.terminate() : websocket.close())
  }
  let heardMs = clock.monotonicMs()
  let seenBytes = 0
  let maxBytes = Number.POSITIVE_INFINITY
  let over = () => {}
  metered.onData = (bytes) => {
    heardMs = clock.monotonicMs()
    seenBytes += bytes.byteLength
    if (seenBytes > maxBytes) over()
    else onData.call(metered, bytes)
  }
  const meter: Meter = {
    heardMs: () => heardMs,
    allow: (bytes, whenOver) => {
      maxBytes = bytes
      over = whenOver
    },
    settle: () => {
      seenBytes = 0
    },
  }
  meters.set(connection, meter)
  return meter
}
