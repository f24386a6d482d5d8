import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorText, SkerryError } from '../../../base/index.ts'
import { shopArchive, type World } from '../../demo/index.ts'
import { cannotRun, chooseDriver, claim, type Driver, removeTrees, type TrialPlace, worldOf } from '../kill/index.ts'
import type { Trial, TrialOptions, TrialRow } from '../trial-row.ts'
import { attempt, documents, runsShown, type Scene, wrongLater } from './attempts.ts'
import { bringAbout, cannotBring, makeGood } from './conditions.ts'
import {
  type Condition,
  cellName,
  cellWords,
  conditions,
  matrix,
  type Operation,
  operations,
  wrongIn,
} from './matrix.ts'

const project = join(import.meta.dirname, '..', '..', '..')

const placeOf = (driver: Driver): TrialPlace => {
  const home = join(project, '.skerry', `autonomy-${driver}`)
  const ownDir = `${home}.trial`
  return { driver, home, clocksHome: `${home}.clocks`, ownDir, programDir: join(ownDir, 'program') }
}

const applicationOf = (condition: Condition): string => `kiosk-${condition.replaceAll(' ', '-')}`

const isChosen = ({ without = [] }: TrialOptions, condition: Condition): boolean =>
  !without.includes(condition.replaceAll(' ', '-'))

/** Both versions of each application are known, and the first runs everywhere. */
const install = async (world: World, place: TrialPlace, chosen: readonly Condition[]): Promise<void> => {
  const image = join(place.ownDir, 'image.tar')
  writeFileSync(image, await shopArchive())
  const path = join(place.ownDir, 'first.yaml')
  writeFileSync(path, chosen.map((one) => documents(applicationOf(one), '1', place.driver)).join('\n---\n'))
  await world.skerry(['apply', '-f', path, '--image', image, '--wait'])
}

const tryCell = async (scene: Scene, operation: Operation): Promise<readonly string[]> => {
  const broken: string[] = []
  for (const must of matrix[scene.condition][operation]) {
    const wrong = wrongIn(must, await attempt(scene, operation, must))
    if (wrong !== undefined) broken.push(wrong)
  }
  return broken
}

/** Everything that is asked while a condition lasts, with what was wrong. */
const tryAll = async (scene: Scene, { signal }: TrialOptions): Promise<ReadonlyMap<Operation, readonly string[]>> => {
  const found = new Map<Operation, readonly string[]>()
  await bringAbout(scene.world, scene.condition)
  try {
    await runsShown(scene)
    for (const operation of operations) if (!signal.aborted) found.set(operation, await tryCell(scene, operation))
  } finally {
    await makeGood(scene.world, scene.condition)
  }
  return found
}

const runCondition = async (scene: Scene, options: TrialOptions): Promise<readonly TrialRow[]> => {
  const rows: TrialRow[] = []
  for (const [operation, wrong] of await tryAll(scene, options)) {
    const musts = matrix[scene.condition][operation]
    const later = await Promise.all(musts.map((must) => wrongLater(scene, must)))
    const broken = [...wrong, ...later.flatMap((one) => one ?? [])]
    const why = cellWords(musts, broken)
    const what = cellName(operation, scene.condition)
    rows.push({ what, tried: musts.length, broken: broken.length, holds: broken.length === 0, why })
    options.say(`    ${what}: ${broken.length === 0 ? '' : 'BROKEN: '}${why}`)
  }
  return rows
}

/** Rows of a condition that could not be brought about, or not be undone. */
const untried = (condition: Condition, why: string): readonly TrialRow[] =>
  operations.map((operation) => ({ what: cellName(operation, condition), tried: 0, broken: 0, holds: false, why }))

const runAll = async (world: World, place: TrialPlace, options: TrialOptions): Promise<readonly TrialRow[]> => {
  const chosen = conditions.filter((one) => isChosen(options, one))
  await world.up()
  await install(world, place, chosen)
  const rows: TrialRow[] = []
  for (const condition of chosen) {
    if (options.signal.aborted) break
    options.say(`  ${condition}`)
    const why = cannotBring(condition)
    const { driver, ownDir } = place
    const scene = { world, driver, ownDir, condition, application: applicationOf(condition) }
    if (why !== undefined) rows.push(...untried(condition, why))
    else
      try {
        rows.push(...(await runCondition(scene, options)))
      } catch (error) {
        rows.push(...untried(condition, errorText(error)))
        options.say(`    BROKEN ${condition}: ${errorText(error)}`)
      }
  }
  return rows
}

const run = async (options: TrialOptions): Promise<readonly TrialRow[]> => {
  const place = placeOf(chooseDriver(options.driver))
  claim(place)
  options.say(`on two-zones, with ${place.driver}`)
  let left: readonly string[] = []
  let rows: readonly TrialRow[] = []
  try {
    await removeTrees(place, options)
    rows = await runAll(worldOf(place, options), place, options)
  } finally {
    left = await removeTrees(place, options)
    rmSync(place.ownDir, { recursive: true, force: true })
    for (const text of left) options.say(`    not removed: ${text}`)
  }
  if (options.signal.aborted) throw new SkerryError('interrupted', 'interrupted; everything was removed')
  if (left.length > 0) throw new SkerryError('not-removed', left.join('; '))
  return rows
}

/** What operators can do, and are told in words that they cannot, while parts of a tree are away. */
export const autonomy: Trial = {
  name: 'autonomy',
  summary:
    'everything an operator asks for, with the tower, the aggregator or all away, after a reboot, with a wrong clock',
  defaultRounds: 1,
  cannotRun,
  run,
}
