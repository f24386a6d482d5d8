import { errorText } from '../../base/index.ts'
import type { ContainersErrorCode } from '../containers.ts'
import { ContainersError } from '../containers-error.ts'
import { isKind } from './containerd-client.ts'

/** Whether a failure, in containerd's words or the system's, means that the disk is full. */
export const meansDiskFull = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException | undefined)?.code === 'ENOSPC' || /no space left on device/i.test(errorText(error))

/**
 * The driver's error for a failure of `operation`: lost engine and full disk by their own codes, anything else by
 * `code`, with the words of whoever refused.
 */
export const driverError = (code: ContainersErrorCode, operation: string, error: unknown): ContainersError => {
  if (error instanceof ContainersError) return error
  if (isKind(error, 'unavailable', 'timeout'))
    return new ContainersError('engine-unavailable', `cannot ${operation}: containerd does not answer`, {
      cause: error,
      details: { words: errorText(error) },
    })
  if (meansDiskFull(error))
    return new ContainersError('disk-full', `cannot ${operation}: the disk is full; free some space`, { cause: error })
  return new ContainersError(code, `cannot ${operation}: ${errorText(error)}`, { cause: error })
}

/** Runs `work`; what it throws comes out as the driver's error. Aborting comes out as it is. */
export const during = async <T>(
  code: ContainersErrorCode,
  operation: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    // A bug of ours is not the engine's refusal.
    if (signal?.aborted || error instanceof ReferenceError || error instanceof TypeError) throw error
    throw driverError(code, operation, error)
  }
}

/** One at a time, in the order asked. A failure does not stop those behind it. */
export const createQueue = (): (<T>(work: () => Promise<T>) => Promise<T>) => {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = last.then(work, work)
    last = mine.catch(() => {})
    return mine
  }
}
