import { readdir, statfs } from 'node:fs/promises'
import { Level } from 'level'
import type { Log } from '../../../base/index.ts'
import { StoreError } from '../store-error.ts'
import { isCorruption, storeErrorOf } from './level-errors.ts'

/** `level` is classic-level where there is a disk; its types are those of all platforms and leave this out. */
const repairFolder = (folder: string): Promise<void> =>
  (Level as unknown as { repair(folder: string): Promise<void> }).repair(folder)

export type Database = Level<string, Uint8Array>

export interface DatabaseSizes {
  readonly cacheBytes: number
  readonly writeBufferBytes: number
}

/** Room that opening again takes: the log becomes a table, and a new manifest and log begin. */
const roomBytes = ({ writeBufferBytes }: DatabaseSizes): number => 4 * writeBufferBytes + 2 ** 20

const openOnce = async (folder: string, { cacheBytes, writeBufferBytes }: DatabaseSizes): Promise<Database> => {
  const database: Database = new Level(folder, {
    keyEncoding: 'utf8',
    valueEncoding: 'view',
    cacheSize: cacheBytes,
    writeBufferSize: writeBufferBytes,
  })
  await database.open()
  return database
}

/** LevelDB takes a folder without CURRENT for a new one and deletes the tables in it. */
const hasLostCurrent = async (folder: string): Promise<boolean> => {
  const names = await readdir(folder).catch((): string[] => [])
  return !names.includes('CURRENT') && names.some((name) => /\.(ldb|log|sst)$/.test(name))
}

/** @throws {StoreError} `damaged-store` */
const repair = async (folder: string, log: Log) => {
  log.warn('the store is damaged: it is repaired now, and what cannot be read is left out', { folder })
  try {
    await repairFolder(folder)
  } catch (error) {
    throw storeErrorOf(error, 'damaged-store', `repair the store in ${folder}`)
  }
}

/**
 * Opens, and repairs first where that is needed.
 * @param isDamaged whether it is known to be
 * @throws {StoreError} `already-open`, `damaged-store`, `disk-full`, `open-failed`
 */
export const openDatabase = async (
  folder: string,
  sizes: DatabaseSizes,
  { log, isDamaged }: { readonly log: Log; readonly isDamaged: boolean },
): Promise<Database> => {
  const opening = `open the store in ${folder}`
  let isRepaired = isDamaged || (await hasLostCurrent(folder))
  if (isRepaired) await repair(folder, log)
  for (;;) {
    try {
      return await openOnce(folder, sizes)
    } catch (error) {
      if (!isCorruption(error)) throw storeErrorOf(error, 'open-failed', opening)
      if (isRepaired) throw storeErrorOf(error, 'damaged-store', `${opening}, also after a repair`)
    }
    isRepaired = true
    await repair(folder, log)
  }
}

/** @throws {StoreError} `disk-full` when closing and opening again could fail half way for want of room */
export const assertRoom = async (folder: string, sizes: DatabaseSizes): Promise<void> => {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < roomBytes(sizes))
    throw new StoreError('disk-full', `cannot write to the store in ${folder}: the disk is full; free some space`)
}
