import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ContainersError } from '../containers-error.ts'

/** Where the driver keeps what. Everything lies under one directory of the node, readable by its user alone. */
export interface ProcessPaths {
  readonly images: string
  readonly names: string
  readonly containers: string
  readonly networks: string
  readonly logs: string
  /** Half-made things; emptied at every start. */
  readonly scratch: string
}

export const pathsOf = (dataDir: string): ProcessPaths => ({
  images: join(dataDir, 'images'),
  names: join(dataDir, 'names'),
  containers: join(dataDir, 'containers'),
  networks: join(dataDir, 'networks'),
  logs: join(dataDir, 'logs'),
  scratch: join(dataDir, 'scratch'),
})

export const prepare = async (paths: ProcessPaths): Promise<void> => {
  await rm(paths.scratch, { recursive: true, force: true })
  for (const path of Object.values(paths)) await mkdir(path, { recursive: true, mode: 0o700 })
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

/** Text of a file; undefined when it is not there. */
export const readText = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
}

/** Writes a file whole or not at all. */
export const writeWhole = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(`${path}.new`, text, { mode: 0o600, flush: true })
  await rename(`${path}.new`, path)
}

/** Says a full disk as what it is; lets everything else pass. */
export const tellFullDisk = async <T>(operation: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work()
  } catch (error) {
    if (codeOf(error) !== 'ENOSPC') throw error
    throw new ContainersError('disk-full', `cannot ${operation}: no space left; free some and it goes on by itself`, {
      cause: error,
    })
  }
}
