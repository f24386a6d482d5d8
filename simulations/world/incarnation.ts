import { type Clock, createLog, type Log, type LogLine, SkerryError, type Timer } from '../../base/index.ts'

/** Thrown by a synchronous power that a node uses after its process has ended. */
export class PowerRevokedError extends SkerryError {
  static override readonly name = 'PowerRevokedError'

  constructor(power: string) {
    super('power-revoked', `the process that held ${power} has ended`)
  }
}

/**
 * One run of one node's process. When it ends, what it began goes nowhere: its timers do not fire, its promises never
 * settle, and what it still calls does nothing.
 */
export interface Incarnation {
  isOver(): boolean
  end(): void
  /** Settles as `promise` does while the process runs, and never after. */
  hold<Value>(promise: Promise<Value>): Promise<Value>
  clock(clock: Clock): Clock
  log(write: (line: LogLine) => void): Log
  /** A power whose calls wait for ever once the process is over; those that answer at once throw. */
  guard<Power extends object>(name: string, power: Power): Power
  /** Does `undo` when the process ends. */
  onEnd(undo: () => void): void
}

const isPromise = (value: unknown): value is Promise<unknown> => value instanceof Promise
const isStream = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value

export const createIncarnation = (): Incarnation => {
  const endings = new Set<() => void>()
  let isOver = false

  const hold = <Value>(promise: Promise<Value>): Promise<Value> =>
    new Promise((resolve, reject) => {
      promise.then(
        (value) => {
          if (!isOver) resolve(value)
        },
        (error: unknown) => {
          if (!isOver) reject(error as Error)
        },
      )
    })
  const holdStream = async function* <Value>(stream: AsyncIterable<Value>): AsyncGenerator<Value> {
    const iterator = stream[Symbol.asyncIterator]()
    try {
      for (let next = await hold(iterator.next()); !next.done; next = await hold(iterator.next())) yield next.value
    } finally {
      await iterator.return?.()
    }
  }

  const setTimer = (clock: Clock, delayMs: number, fire: () => void): Timer => {
    if (isOver) return { cancel: () => {} }
    const cancel = () => {
      endings.delete(cancel)
      timer.cancel()
    }
    const timer = clock.setTimer(delayMs, () => {
      endings.delete(cancel)
      fire()
    })
    endings.add(cancel)
    return { cancel }
  }

  return {
    isOver: () => isOver,
    end: () => {
      isOver = true
      for (const undo of endings) undo()
      endings.clear()
    },
    hold,
    clock: (clock) => ({
      monotonicMs: clock.monotonicMs,
      wallMs: clock.wallMs,
      bootNowMs: clock.bootNowMs,
      setTimer: (delayMs, fire) => setTimer(clock, delayMs, fire),
    }),
    log: (write) =>
      createLog((line) => {
        if (!isOver) write(line)
      }),
    guard: (name, power) =>
      new Proxy(power, {
        get: (target, key, receiver) => {
          const member: unknown = Reflect.get(target, key, receiver)
          if (typeof member !== 'function') return member
          return (...args: readonly unknown[]) => {
            if (isOver) throw new PowerRevokedError(`${name}.${String(key)}`)
            const answer: unknown = Reflect.apply(member, target, args)
            if (isPromise(answer)) return hold(answer)
            return isStream(answer) ? holdStream(answer) : answer
          }
        },
      }),
    onEnd: (undo) => void endings.add(undo),
  }
}
