import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorText, SkerryError } from '../../base/index.ts'

/** A small value kept on disk as one JSON document `{ version, value }`. */
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
    let parsed: { version?: unknown; value?: Value }
    try {
      parsed = JSON.parse(text)
    } catch (error) {
      throw new SkerryError('damaged-file', `${path} is damaged (${errorText(error)}): restore it or remove it`, {
        cause: error,
      })
    }
    if (typeof parsed.version !== 'number' || parsed.version > formatVersion)
      throw new SkerryError(
        'newer-format',
        `${path} has format ${String(parsed.version)}, this program knows up to ${formatVersion}: run a later release`,
      )
    return parsed.value
  },
  save: (value) => {
    const aside = `${path}.new`
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      const file = openSync(aside, 'w', 0o600)
      try {
        const bytes = Buffer.from(JSON.stringify({ version: formatVersion, value }))
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
