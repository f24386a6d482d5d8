import type { Stream } from '@libp2p/interface'

/** What Yamux keeps of a stream: how much the other end may send, of how much at most. */
interface YamuxWindow {
  sendWindowUpdate?: () => void
  recvWindow?: number
  recvWindowCapacity?: number
  state?: number
}

/** States of a stream in which a window update also opens it (Yamux, `Init` and `SYNReceived`). */
const opening: ReadonlySet<number | undefined> = new Set([0, 2])

/**
 * Gives the other end its window back once half of it is used, as the specification of Yamux says. libp2p's answers every
 * frame: a frame more to encrypt and send for each that comes.
 * @throws {Error} where a stream of libp2p is not what this was made for
 */
export const spareWindowUpdates = (stream: Stream): void => {
  const window = stream as unknown as YamuxWindow
  const { sendWindowUpdate } = window
  if (typeof sendWindowUpdate !== 'function' || typeof window.recvWindow !== 'number')
    throw new Error('a stream of libp2p is not what the mesh was made for')
  window.sendWindowUpdate = () => {
    const { recvWindow = 0, recvWindowCapacity = 0, state } = window
    if (opening.has(state) || recvWindow - recvWindowCapacity >= recvWindow / 2) sendWindowUpdate.call(stream)
  }
}
