import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withLock } from './lock.mjs'
import { broughtNpmOf } from './node.mjs'
import { downloadFailure, runNpm, withProgress } from './words.mjs'

/** Brings `node_modules` to what package-lock.json says, unless it is there already. Needs `ensureNode` before it. */
export const ensureDependencies = async (root) => {
  if (isReady(root)) return
  await withLock(root, async () => {
    if (isReady(root)) return
    const args = ['ci', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
    const { code, output } = await withProgress('installing dependencies into node_modules (npm ci)', () =>
      runNpm(args, { cwd: root }, broughtNpmOf(root)),
    )
    if (code !== 0) throw downloadFailure('the dependencies', 'the npm registry', output)
    writeStamp(root)
  })
}

const stampPath = (root) => join(root, 'node_modules', '.skerry-stamp')
const stampOf = (root) => {
  const lock = readFileSync(join(root, 'package-lock.json'))
  return `${process.platform} ${process.arch} ${createHash('sha256').update(lock).digest('hex')}\n`
}
const writeStamp = (root) => writeFileSync(stampPath(root), stampOf(root))

const readText = (path) => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const isReady = (root) => {
  if (readText(stampPath(root)) === stampOf(root)) return true
  if (!isInstalled(root)) return false
  writeStamp(root)
  return true
}

/** An optional package made for this very machine: an npm on too old a Node leaves it out, and tools miss it later. */
const isForHere = ({ os, cpu, libc }) => {
  if (!os?.includes(process.platform) || !cpu?.includes(process.arch)) return false
  const isGlibc = process.report?.getReport().header.glibcVersionRuntime !== undefined
  return libc === undefined || libc.includes(isGlibc ? 'glibc' : 'musl')
}

/** True when someone ran `npm ci` by hand: npm writes what it installed at the very end. */
const isInstalled = (root) => {
  const written = readText(join(root, 'node_modules', '.package-lock.json'))
  if (written === undefined) return false
  const installed = JSON.parse(written).packages
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const same = (a, b) => a.version === b.version && a.integrity === b.integrity
  return (
    Object.entries(wanted).every(([path, entry]) =>
      path === ''
        ? true
        : installed[path]
          ? same(installed[path], entry)
          : entry.optional === true && !isForHere(entry),
    ) && Object.keys(installed).every((path) => wanted[path] !== undefined)
  )
}
