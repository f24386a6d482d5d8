import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { errorText, SkerryError } from '../../base/index.ts'

/** A small value kept on disk as one JSON document `{ version, sum, value }`. */
export interface StateFile<Value> {
  /**
   * The value last saved, or undefined when there is none.
   * @throws {SkerryError} `newer-format` for a file of a later release, `damaged-file` for one that cannot be read.
   */
  load(): Value | undefined
  /** Returns when the value will survive a power cut. @throws {SkerryError} `disk-full`, `write-failed`; the old value stays. */
  save(value: Value): void
}

const formatVersion = 1

const textOf = (value: unknown): string => JSON.stringify(value) ?? 'null'

/** With a sum over the value: a bit that flipped in a digit or a name still reads as JSON. */
export const encodeState = (value: unknown): string => {
  const text = textOf(value)
  return `{"version":${formatVersion},"sum":${crc32(text)},"value":${text}}`
}

/**
 * What a state file holds. One without a sum was written by an earlier release.
 * @param path shown in errors
 * @throws {SkerryError} `newer-format`, `damaged-file`
 */
export const decodeState = <Value>(path: string, text: string): Value | undefined => {
  let parsed: { readonly version?: unknown; readonly sum?: unknown; readonly value?: Value } | null
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new SkerryError('damaged-file', `${path} is damaged (${errorText(error)}): restore it or remove it`, {
      cause: error,
    })
  }
  if (typeof parsed?.version !== 'number' || parsed.version > formatVersion)
    throw new SkerryError(
      'newer-format',
      `${path} has format ${String(parsed?.version)}, this program knows up to ${formatVersion}: run a later release`,
    )
  if (parsed.sum !== undefined && parsed.sum !== crc32(textOf(parsed.value)))
    throw new SkerryError('damaged-file', `${path} is damaged (its sum is wrong): restore it or remove it`)
  return parsed.value
}

/** Whole-file replacement: write aside, sync, rename, sync the folder (the order POSIX asks for). */
export const createStateFile = <Value>(path: string): StateFile<Value> => ({
  load: () => {
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw new SkerryError('damaged-file', `cannot read ${path}: ${errorText(error)}`, { cause: error })
    }
    return decodeState<Value>(path, text)
  },
  save: (value) => {
    const aside = `${path}.new`
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      const file = openSync(aside, 'w', 0o600)
      try {
        const bytes = Buffer.from(encodeState(value))
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
        fsyncSync(file)
      } finally {
        closeSync(file)
      }
      renameSync(aside, path)
      const folder = openSync(dirname(path), 'r')
      try {
        fsyncSync(folder)
      } finally {
        closeSync(folder)
      }
    } catch (error) {
      const full = (error as NodeJS.ErrnoException).code === 'ENOSPC'
      throw new SkerryError(
        full ? 'disk-full' : 'write-failed',
        `cannot save ${path}: ${full ? 'the disk is full; free some space and try again' : errorText(error)}`,
        { cause: error },
      )
    }
  },
})
