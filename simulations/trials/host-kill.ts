import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { errorText, SkerryError } from '../../base/index.ts'
import { demoRecord } from '../demo/index.ts'
import { harm } from './harm.ts'
import { shimSocket } from './host-reading.ts'
import { compareHealthy, type Fault } from './judge.ts'
import { findRemains } from './remains.ts'
import { cannotRun, claim, home, ownDir, prepare, type Scene, trialWorld } from './scene.ts'
import { settle } from './settle.ts'
import type { Trial, TrialRow } from './trial-row.ts'
import { wantedAt } from './workload.ts'

const createTally = () => {
  const tally = new Map<TrialRow['what'], { tried: number; broken: number }>()
  const add = (what: TrialRow['what'], tried: number, broken: number) => {
    const before = tally.get(what) ?? { tried: 0, broken: 0 }
    tally.set(what, { tried: before.tried + tried, broken: before.broken + broken })
  }
  const rows = (): readonly TrialRow[] =>
    [...tally].map(([what, { tried, broken }]) => ({ what, tried, broken, holds: broken === 0 && tried > 0 }))
  return { add, rows }
}

const isBroken = (faults: readonly Fault[], row: Fault['row']) => (faults.some((fault) => fault.row === row) ? 1 : 0)

const runRounds = async (scene: Scene, tally: ReturnType<typeof createTally>): Promise<void> => {
  const { rounds, say, signal } = scene.options
  let before = await settle(scene)
  if (before.faults.length > 0)
    throw new SkerryError('not-settled', `before the first kill: ${before.faults.map(({ text }) => text).join('; ')}`)
  for (let round = 1; round <= rounds && !signal.aborted; round++) {
    const { killed, changed, delayMs } = await harm(scene)
    const after = await settle(scene)
    // Who changed with the version may be touched, and who lost its shim.
    const untouched = wantedAt(scene.versions)
      .flatMap(({ containers }) => containers)
      .filter((one) => !(one.changes && one.application === changed))
    const exempt = new Set(killed.id === undefined ? [] : [killed.id])
    const { compared, faults } = compareHealthy(before.reading, after.reading, untouched, exempt)
    const found = [...after.faults, ...faults]
    tally.add('wanted-up', 1, isBroken(found, 'wanted-up'))
    tally.add('healthy-untouched', compared, faults.length)
    tally.add('no-orphans', 1, isBroken(found, 'no-orphans'))
    const during = changed === undefined ? '' : `, ${delayMs} ms into ${changed} ${scene.versions[changed]}`
    say(`${round}/${rounds} killed ${killed.kind} ${killed.id ?? killed.pid}${during}: settled in ${after.tookMs} ms`)
    for (const { row, text } of found) say(`    ${row}: ${text}`)
    before = after
  }
}

/** Takes the tree away with the product's own command, and looks for what that left. */
const removeAll = async (scene: Scene | undefined, tally: ReturnType<typeof createTally>): Promise<void> => {
  const world = trialWorld(() => {})
  const runBase = existsSync(join(home, 'home.json')) ? demoRecord(home).runBase : undefined
  const removed = await world.skerry(['down', '--remove']).then(
    () => [],
    (error: unknown) => [errorText(error)],
  )
  rmSync(ownDir, { recursive: true, force: true })
  if (!scene) return
  const sockets = [...scene.everSeen].map(([id, { namespace }]) => shimSocket(scene.place, namespace, id))
  const { kinds, remains } = await findRemains(scene.place, {
    folders: [home, ...(runBase === undefined ? [] : [runBase])],
    chains: Object.values(scene.networks).map(({ chain }) => chain),
    sockets,
  })
  const brokenKinds = new Set(remains.map(({ kind }) => kind)).size + removed.length
  tally.add('removed-all', kinds + 1, brokenKinds)
  for (const text of [...removed, ...remains.map(({ kind, name }) => `${kind} ${name}`)])
    scene.options.say(`    removed-all: ${text}`)
}

/** Kills the edge node, its engine and shims at random under load, and reads from outside what comes of it. */
export const hostKill: Trial = {
  name: 'host-kill',
  summary: 'kill -9 of edge, containerd or a shim at random, while applications change',
  defaultRounds: 100,
  cannotRun,
  run: async (options) => {
    claim()
    const tally = createTally()
    let scene: Scene | undefined
    try {
      scene = await prepare(options)
      await runRounds(scene, tally)
    } finally {
      await removeAll(scene, tally)
    }
    if (options.signal.aborted) throw new SkerryError('interrupted', 'interrupted; everything was removed')
    return tally.rows()
  },
}
