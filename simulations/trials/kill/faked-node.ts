import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SkerryError } from '../../../base/index.ts'
import { homeFile, type NodeLayout, nodeFile } from '../../../node/local-tree/index.ts'
import type { DemoNode } from '../../demo/index.ts'
import type { TrialPlace } from './tree-scene.ts'

/** Where Debian's package libfaketime puts the library for programs with threads. */
const libraries = ['x86_64', 'aarch64'].map((cpu) => `/usr/lib/${cpu}-linux-gnu/faketime/libfaketimeMT.so.1`)

/** The library that gives one process another time of day; undefined where it is not installed. */
export const fakeTimeLibrary = (): string | undefined => libraries.find((path) => existsSync(path))

/** A node of the tree's home, whether it was ever started or not. @throws {SkerryError} `no-such-node` */
export const layoutOf = (home: string, name: string): NodeLayout => {
  const found = homeFile(home)
    .load()
    ?.nodes.find((node) => node.name === name)
  if (found === undefined) throw new SkerryError('no-such-node', `the tree in ${home} has no ${name}`)
  return found
}

/** A node as requests to it need it. */
export const demoNodeOf = (layout: NodeLayout): DemoNode => ({
  name: layout.name,
  role: layout.role,
  pid: 0,
  scope: layout.scope,
  site: layout.site,
  'api-socket': layout.apiSocket,
  'run-dir': layout.runDir,
  'data-dir': layout.dataDir,
})

/** Writes what a machine is set up with: its options, and the token it may join with. */
export const setUpNode = (home: string, layout: NodeLayout, driver: string, token: string): void => {
  const record = homeFile(home).load()
  if (record === undefined) throw new SkerryError('no-such-node', `${home} holds no tree`)
  for (const folder of [layout.dataDir, layout.runDir]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(layout.joinTokenFile, `${token}\n`, { mode: 0o600 })
  const text = nodeFile(layout, {
    networkId: record.networkId,
    tokenFile: join(home, 'token'),
    runtime: driver,
    parents: record.nodes.filter(({ name }) => layout.parents.includes(name)),
    logLevel: 'info',
  })
  writeFileSync(layout.configFile, text, { mode: 0o600 })
}

/**
 * Starts one node whose time of day is another. The machine's clock stays as it is, and so do the process's timers, which
 * go by the monotonic clock.
 * @param time as libfaketime reads it: `@` and a moment that passes from there on, or a difference like `+10y`
 */
export const startAt = (
  { programDir }: TrialPlace,
  { configFile }: NodeLayout,
  library: string,
  time: string,
  extra: readonly string[] = [],
): ChildProcess =>
  spawn(process.execPath, [join(programDir, 'skerry-node.mjs'), '--config', configFile, ...extra], {
    stdio: 'ignore',
    detached: true,
    env: {
      ...process.env,
      LD_PRELOAD: library,
      FAKETIME: time,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    },
  })

export const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
