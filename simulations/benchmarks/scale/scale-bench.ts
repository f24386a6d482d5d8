import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { errorText, SkerryError } from '../../../base/index.ts'
import type { Bench, BenchOptions, BenchResult, BenchRow } from '../bench-row.ts'
import { hasProc } from '../process-cost.ts'
import { predict } from './cost-model.ts'
import type { ScaleFigures } from './figures.ts'
import { havesOf, lackingOf, needsOf } from './machine-limits.ts'
import { measureScale } from './measure.ts'
import { comparedSites, rowsOf } from './scale-rows.ts'
import { zonesOf } from './scale-topology.ts'

const project = join(import.meta.dirname, '..', '..', '..')
const program = join(project, 'dist')
const defaultSites = 100
const defaultIdleSeconds = 300
/** By how much the model may be off. */
const barOff = 0.25

/** @throws {SkerryError} `bad-file` */
const readFigures = (path: string): ScaleFigures => {
  try {
    const lines = readFileSync(path, 'utf8').trim().split('\n')
    const { bench, figures } = JSON.parse(lines.at(-1) ?? '') as { bench: string; figures: ScaleFigures }
    if (bench !== 'scale' || typeof figures?.sites !== 'number') throw new Error('it is of no run of scale')
    return figures
  } catch (error) {
    throw new SkerryError('bad-file', `${path} is not what "bench -- scale --json" printed last: ${errorText(error)}`)
  }
}

const demandMachine = (sites: number, say: BenchOptions['say']): void => {
  if (!hasProc()) throw new SkerryError('cannot-run', 'what a process costs is read from /proc, which only Linux has')
  if (!existsSync(join(program, 'skerry-node.mjs')))
    throw new SkerryError('cannot-run', 'the bundle is not built: npm run build')
  const zones = zonesOf(sites)
  const needs = needsOf(sites, zones.length, Math.max(...zones.map((zone) => zone.sites.length)))
  const lacking = lackingOf(needs, havesOf(project))
  for (const line of lacking) say(`lacking: ${line}`)
  if (lacking.length > 0)
    throw new SkerryError('cannot-run', `this machine cannot run ${sites} sites: ${lacking.join('; ')}`)
}

const runOnce = async (sites: number, options: BenchOptions): Promise<ScaleFigures> => {
  const dir = join(project, '.skerry', `scale-${process.pid}`)
  rmSync(dir, { recursive: true, force: true })
  const profileDir = options.profileDir === undefined ? undefined : resolve(options.profileDir)
  if (profileDir !== undefined) mkdirSync(profileDir, { recursive: true })
  options.say(`${sites} sites; stores are written below ${dir} and removed`)
  const { say, signal, idleSeconds = defaultIdleSeconds } = options
  return measureScale({ sites, idleSeconds, program, dir, profileDir, say, signal })
}

const predictionRows = (files: readonly string[], sites: number): readonly BenchRow[] => {
  const [small, large, measured] = files.map(readFigures)
  if (small === undefined || large === undefined)
    throw new SkerryError('bad-input', '--predict needs the files of two runs of different size')
  return predict([small, large], measured?.sites ?? sites, measured).map(
    ({ what, unit, fixed, perSite, predicted, measured: was, off }) => ({
      what: `predicted-${what}`,
      ours: Number.isFinite(predicted) ? Number(predicted.toPrecision(4)) : null,
      peer: was === undefined ? null : Number(was.toPrecision(4)),
      unit,
      ratio: was === undefined ? null : Number((predicted / was).toPrecision(3)),
      bar: was === undefined ? null : 1 + barOff,
      holds: off === undefined || Math.abs(off) <= barOff,
      ...(!Number.isFinite(predicted) && { why: 'linked sites at rest take all the processors there are' }),
      limit: `${fixed.toPrecision(3)} ${unit} and ${perSite.toPrecision(3)} for each site`,
    }),
  )
}

/** One tower, aggregators of 500 sites and all edges on this machine. */
export const scaleBench: Bench = {
  name: 'scale',
  summary: 'a tower, aggregators and --sites edges over real sockets: enrolment, a deployment, idle links, a storm',
  run: async (options): Promise<BenchResult> => {
    const { sites = defaultSites, against, predictFrom } = options
    if (predictFrom !== undefined) return { rows: predictionRows(predictFrom, sites) }
    let small = against === undefined ? undefined : readFigures(against)
    demandMachine(sites, options.say)
    if (sites > comparedSites && small === undefined) small = await runOnce(comparedSites, options)
    const figures = await runOnce(sites, options)
    return { rows: rowsOf(figures, small), figures }
  },
}
