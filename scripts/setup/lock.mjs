import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { say } from './words.mjs'

const pauseMs = 250

/** Runs `work` while no other set-up of this checkout does: the lock is a file with the process id of who holds it. */
export const withLock = async (root, work) => {
  const path = join(root, '.node24', 'setup.lock')
  mkdirSync(dirname(path), { recursive: true })
  let told = false
  while (!take(path)) {
    const holder = readHolder(path)
    if (holder !== undefined && !isAlive(holder)) removeStale(path, holder)
    else {
      if (!told && holder) say(`another set-up of this folder is running (process ${holder}): waiting for it`)
      told = true
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
    try {
      rmdirSync(dirname(path))
    } catch {
      // Node lives there: it stays.
    }
  }
}

const take = (path) => {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'ENOENT') mkdirSync(dirname(path), { recursive: true })
    else if (error.code !== 'EEXIST') throw error
    return false
  }
}

/** Undefined while the holder is still writing its id, or has just gone. */
const readHolder = (path) => {
  try {
    return Number(readFileSync(path, 'utf8')) || undefined
  } catch {
    return undefined
  }
}

const isAlive = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Moved aside before it is removed, so that of two who saw it stale only one can. */
const removeStale = (path, holder) => {
  const aside = `${path}.${process.pid}`
  try {
    renameSync(path, aside)
    const moved = readHolder(aside)
    if (moved !== holder) renameSync(aside, path)
    else rmSync(aside, { force: true })
  } catch {
    // Someone else was quicker.
  }
}
