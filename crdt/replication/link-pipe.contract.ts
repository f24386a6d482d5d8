import type { Link } from './replication.ts'

/** One message on its way, as a test sees it. */
export interface Passed {
  readonly from: 'left' | 'right'
  readonly bytes: Uint8Array
}

export interface PipeOptions {
  /** The link breaks once so many messages were handed over. @default never */
  readonly cutAfter?: number
  /** A sender waits while more than this is on its way to the other end, in bytes. @default 64 KiB */
  readonly windowBytes?: number
}

/** A link in memory: ordered, with back-pressure, and it can break. */
export const createPipe = ({ cutAfter = Infinity, windowBytes = 64 * 1024 }: PipeOptions = {}) => {
  const passed: Passed[] = []
  let isCut = false
  const wakers = new Set<() => void>()
  const wake = () => {
    for (const waker of [...wakers]) waker()
    wakers.clear()
  }
  const woken = () => new Promise<void>((resolve) => wakers.add(resolve))
  const cut = () => {
    isCut = true
    wake()
  }
  const end = (from: Passed['from'], out: Uint8Array[], into: Uint8Array[]): Link => ({
    send: async (message) => {
      if (isCut) throw new Error('the link is cut')
      passed.push({ from, bytes: message })
      out.push(message)
      wake()
      if (passed.length >= cutAfter) cut()
      const onTheWay = () => out.reduce((sum, { length }) => sum + length, 0)
      while (!isCut && onTheWay() > windowBytes) await woken()
    },
    messages: (async function* () {
      for (;;) {
        const message = into.shift()
        if (message !== undefined) {
          wake()
          yield message
        } else if (isCut) return
        else await woken()
      }
    })(),
  })
  const [toRight, toLeft]: [Uint8Array[], Uint8Array[]] = [[], []]
  return { left: end('left', toRight, toLeft), right: end('right', toLeft, toRight), passed, cut }
}
