import { type Clock, SkerryError } from '../../base/index.ts'

/** What both ends of a link between siblings keep to, in milliseconds and in number. */
export const siblingLinkLimits = {
  /** A caller that was not welcomed after so long is hung up on. */
  helloWithinMs: 10_000,
  /** An answer that is not whole after so long is given up. */
  depositWithinMs: 60_000,
  /** Links a host keeps open for others at one time; one more is hung up on. */
  links: 8,
  /** A link lives no longer: who still needs it calls again. */
  linkForMs: 30 * 60_000,
  /** Questions of one link that are answered at one time. */
  questions: 4,
} as const

/**
 * Runs some work that ends by itself when its time is over.
 * @throws {SkerryError} `too-slow`, and what the work throws
 */
export const within = async <Value>(
  clock: Clock,
  limitMs: number,
  what: string,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> => {
  const over = new AbortController()
  const late = Promise.withResolvers<never>()
  const timer = clock.setTimer(limitMs, () => {
    over.abort()
    late.reject(new SkerryError('too-slow', `${what} took longer than ${limitMs / 1000} s`))
  })
  try {
    return await Promise.race([work(over.signal), late.promise])
  } finally {
    timer.cancel()
  }
}
