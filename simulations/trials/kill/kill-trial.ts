import { rmSync } from 'node:fs'
import { createSeededRandom, type Random, SkerryError } from '../../../base/index.ts'
import type { Trial, TrialOptions, TrialRow } from '../trial-row.ts'
import { tryClocks } from './clocks.ts'
import { harmEnrolment, harmTree } from './harm-tree.ts'
import { settleTree, type TreeRest } from './settle-tree.ts'
import type { HeldStore } from './store-judge.ts'
import { restarted } from './tree-judge.ts'
import {
  cannotRun,
  chooseDriver,
  claim,
  emptyScene,
  installApplications,
  placeOf,
  removeTrees,
  type TreeScene,
  upAgain,
} from './tree-scene.ts'
import { watchRest } from './watch-rest.ts'

/** Rounds that are spent on a fresh tree that comes up: one in ten, and five at most. */
const enrolmentRounds = (rounds: number): number => Math.min(5, Math.ceil(rounds / 10))
/** Stores are read, and the tree is watched at rest, every so many rounds of a long run and after the last of any. */
const watchEvery = 5
const longRun = 20

const rowNames = [
  'writers',
  'same-everywhere',
  'healthy-untouched',
  'acknowledged-kept',
  'fixed-point',
  'clocks',
] as const
type RowName = (typeof rowNames)[number]

const createTally = ({ say, without = [] }: TrialOptions) => {
  const tally = new Map<RowName, { tried: number; broken: number }>(
    rowNames.filter((name) => !without.includes(name)).map((name) => [name, { tried: 0, broken: 0 }]),
  )
  return {
    add: (name: RowName, tried: number, broken: readonly string[]) => {
      const before = tally.get(name) ?? { tried: 0, broken: 0 }
      tally.set(name, { tried: before.tried + tried, broken: before.broken + broken.length })
      for (const text of broken.slice(0, 10)) say(`    BROKEN ${name}: ${text}`)
    },
    rows: (): readonly TrialRow[] =>
      [...tally].map(([what, { tried, broken }]) => ({ what, tried, broken, holds: broken === 0 && tried > 0 })),
  }
}
type Tally = ReturnType<typeof createTally>

/** Kills a tree that comes up for the first time, and installs the applications once it is up. */
const beginTree = async (scene: TreeScene, random: Random): Promise<number> => {
  const { options, world, place } = scene
  const rounds = enrolmentRounds(options.rounds)
  let done = 0
  while (done < rounds && !options.signal.aborted) {
    const victim = await harmEnrolment(scene, random.fork(`enrolment ${done}`))
    if (victim === undefined) break
    done += 1
    options.say(`${done}/${options.rounds} killed ${victim} while the tree came up for the first time`)
  }
  await upAgain(scene, 5)
  await installApplications(world, place)
  return done
}

const watchTree = async (scene: TreeScene, rest: TreeRest, first: readonly HeldStore[] | undefined, tally: Tally) => {
  if (rest.reading === undefined) return first
  const { writers, same, certificates, fixed, stores } = await watchRest(scene, rest.reading, first)
  tally.add('writers', writers.compared, writers.broken)
  tally.add('same-everywhere', same.compared, same.broken)
  tally.add('acknowledged-kept', certificates.compared, certificates.broken)
  tally.add('fixed-point', fixed.compared, fixed.broken)
  const lanes = stores.reduce((sum, one) => sum + one.lanes.length, 0)
  scene.options.say(
    `    at rest: ${writers.compared} envelopes in ${lanes} lanes of ${stores.length} stores, ${same.compared} lanes shared`,
  )
  return first ?? stores
}

const settled = async (scene: TreeScene, tally: Tally): Promise<TreeRest> => {
  const rest = await settleTree(scene)
  // Who is interrupted waits no longer, and found nothing out.
  if (!scene.options.signal.aborted) tally.add('acknowledged-kept', 1, [...rest.lost, ...rest.late])
  return rest
}

const runRounds = async (scene: TreeScene, tally: Tally): Promise<void> => {
  const { options, ledger } = scene
  const { rounds, say, signal } = options
  const random = createSeededRandom(options.seed)
  const done = await beginTree(scene, random)
  let last = await settled(scene, tally)
  let first: readonly HeldStore[] | undefined
  for (let round = done + 1; round <= rounds && !signal.aborted; round++) {
    const mark = ledger.mark()
    const harm = await harmTree(scene, random.fork(`round ${round}`))
    const rest = await settled(scene, tally)
    const again = harm.again.length > 0 ? ` and ${harm.again.join(', ')} again while it started` : ''
    say(
      `${round}/${rounds} killed ${harm.victims.join(', ')}${again}, away ${harm.awayMs} ms: as wanted after ${rest.tookMs} ms, ${ledger.count('acknowledged')} changes acknowledged so far`,
    )
    if (last.reading !== undefined && rest.reading !== undefined) {
      const { compared, broken } = restarted(last.reading.containers, rest.reading.containers, (application) =>
        ledger.touchedSince(mark, application),
      )
      tally.add('healthy-untouched', compared, broken)
    }
    if (rest.late.length === 0 && ((round % watchEvery === 0 && rounds >= longRun) || round === rounds))
      first = await watchTree(scene, rest, first, tally)
    last = rest
  }
}

const run = async (options: TrialOptions): Promise<readonly TrialRow[]> => {
  const place = placeOf(chooseDriver(options.driver))
  claim(place)
  options.say(`on two-zones, with ${place.driver}`)
  const tally = createTally(options)
  let left: readonly string[] = []
  try {
    await removeTrees(place, options)
    const scene = emptyScene(options, place)
    await runRounds(scene, tally)
    const { ledger, refusals } = scene
    options.say(
      `${ledger.count('acknowledged')} changes acknowledged, ${ledger.count('unknown')} without an answer, ${refusals.length} refused in words`,
    )
    if (!options.signal.aborted && !options.without?.includes('clocks')) {
      const findings = await tryClocks(place, options)
      tally.add(
        'clocks',
        findings.length,
        findings.flatMap(({ what, broken }) => (broken === undefined ? [] : [`${what}: ${broken}`])),
      )
    }
  } finally {
    left = await removeTrees(place, options)
    rmSync(place.ownDir, { recursive: true, force: true })
    for (const text of left) options.say(`    not removed: ${text}`)
  }
  if (options.signal.aborted) throw new SkerryError('interrupted', 'interrupted; everything was removed')
  if (left.length > 0) throw new SkerryError('not-removed', left.join('; '))
  return tally.rows()
}

/** Kills nodes of a whole tree at random under load, and holds what comes of it to the invariants of the design. */
export const kill: Trial = {
  name: 'kill',
  summary: 'kill -9 of edges, aggregators and the tower at random, while applications change',
  defaultRounds: 100,
  cannotRun,
  run,
}
