import { errorText } from '../../../base/index.ts'
import { StoreError, type StoreErrorCode } from '../store-error.ts'

/** What LevelDB said, below the words its wrappers put around it. */
interface Fault {
  readonly code: string | undefined
  readonly text: string
}

const faultOf = (error: unknown): Fault => {
  let deepest = error
  while (deepest instanceof Error && deepest.cause !== undefined) deepest = deepest.cause
  return { code: (deepest as { readonly code?: string } | undefined)?.code, text: errorText(deepest) }
}

/** A table, log or manifest is not what LevelDB wrote, or is gone. */
export const isCorruption = (error: unknown): boolean => {
  const { code, text } = faultOf(error)
  return code === 'LEVEL_CORRUPTION' || (code === 'LEVEL_IO_ERROR' && /No such file or directory/.test(text))
}

/** An iterator that a reopening closed under its reader. */
export const isIteratorGone = (error: unknown): boolean => faultOf(error).code === 'LEVEL_ITERATOR_NOT_OPEN'

/**
 * An error of LevelDB in our words.
 * @param code what it is where nothing more is known
 * @param doing like `write to the store in /var/lib/x`
 */
export const storeErrorOf = (error: unknown, code: StoreErrorCode, doing: string): StoreError => {
  if (error instanceof StoreError) return error
  const fault = faultOf(error)
  if (/No space left on device|Disk quota exceeded|File too large/.test(fault.text))
    return new StoreError('disk-full', `cannot ${doing}: the disk is full; free some space`, { cause: error })
  if (fault.code === 'LEVEL_LOCKED')
    return new StoreError('already-open', `cannot ${doing}: another process has it open; stop that one first`, {
      cause: error,
    })
  return new StoreError(code, `cannot ${doing}: ${fault.text}`, { cause: error })
}
