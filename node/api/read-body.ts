import type { Readable } from 'node:stream'
import type { Clock } from '../../base/index.ts'
import { refusal } from './problem-report.ts'

/** A body past its limit is read on and dropped up to so many times the limit, so that the client hears why. */
const droppedTimes = 8

const readAll = async (stream: Readable, maxBytes: number): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  // The stream outlives the reading: destroying it would cut the connection the refusal goes out on.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    sizeBytes += chunk.length
    if (sizeBytes <= maxBytes) chunks.push(chunk)
    else chunks.length = 0
    if (sizeBytes > maxBytes * droppedTimes) break
  }
  if (sizeBytes > maxBytes) throw refusal('body-too-large', `the body is larger than ${maxBytes} bytes`)
  return Buffer.concat(chunks)
}

/**
 * Reads a whole small body.
 * @throws {SkerryError} `body-too-large`; `request-timeout` when it is not complete after `timeoutMs`
 */
export const readBody = async (
  stream: Readable,
  options: { readonly maxBytes: number; readonly timeoutMs: number; readonly clock: Clock },
): Promise<Uint8Array> => {
  const late = Promise.withResolvers<never>()
  const timer = options.clock.setTimer(options.timeoutMs, () =>
    late.reject(refusal('request-timeout', `the body was not complete after ${options.timeoutMs / 1000} s`)),
  )
  const all = readAll(stream, options.maxBytes)
  all.catch(() => {}) // it may fail after it was given up on
  try {
    return await Promise.race([all, late.promise])
  } finally {
    timer.cancel()
  }
}

/**
 * The chunks of a large body as they come. Ends with an error when none came for `idleMs` or the client left.
 */
export async function* streamBody(
  stream: Readable,
  options: { readonly idleMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = stream.iterator({ destroyOnReturn: false })
  const over = Promise.withResolvers<never>()
  over.promise.catch(() => {}) // nobody may be waiting when it is over
  const stopped = () => over.reject(refusal('unavailable', 'the upload was broken off'))
  if (options.signal.aborted) stopped()
  options.signal.addEventListener('abort', stopped, { once: true })
  try {
    for (;;) {
      const timer = options.clock.setTimer(options.idleMs, () =>
        over.reject(refusal('request-timeout', `nothing came for ${options.idleMs / 1000} s`)),
      )
      const next: Promise<IteratorResult<Uint8Array>> = chunks.next()
      next.catch(() => {}) // it may fail after it was given up on
      const result = await Promise.race([next, over.promise]).finally(() => timer.cancel())
      if (result.done) return
      yield result.value
    }
  } finally {
    options.signal.removeEventListener('abort', stopped)
  }
}
