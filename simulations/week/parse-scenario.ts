import * as z from 'zod'
import { InvalidInputError, nameHint, type Problem, parseDurationMs } from '../../base/index.ts'
import {
  type FieldPath,
  fields,
  fieldText,
  readYaml,
  refuseDocument,
  shapeProblems,
  siteNamed,
  type Topology,
  visibleTo,
  type YamlDocument,
} from '../../topologies/index.ts'
import { findTarget, targetHint } from './find-target.ts'
import { type Deed, firstVersion, type PlannedStep, type Target, type WeekPlan } from './plan.ts'

const readableVersion = 1
const limits = { fileBytes: 2 ** 18, steps: 1_000, lastsMs: 7 * 86_400_000 } as const
const deeds = ['cut', 'power', 'clock', 'label', 'heal', 'upgrade', 'rollback'] as const
type DeedKind = (typeof deeds)[number]

const step = fields(
  {
    at: z.string(),
    for: z.string().optional(),
    reads: z.string().optional(),
    ...Object.fromEntries(deeds.map((kind) => [kind, z.string().optional()])),
  },
  {
    deploy: 'unknown field; version 1 runs everywhere from the start, write upgrade: "2" for the next',
    kill: 'not supported; power: takes the power of the machine',
    until: 'unknown field; say for how long: for: 10m, or write a step of its own with heal',
  },
)

const scenarioSchema = fields({
  version: z.literal(readableVersion, { error: () => 'must be the number 1; write version: 1' }),
  scenario: z.string(),
  lasts: z.string(),
  'converge-within': z.string().optional(),
  steps: z.array(step).min(1, 'has no step; write at least one, like - at: 1m').max(limits.steps),
})

interface WrittenStep extends Partial<Record<DeedKind, string>> {
  readonly at?: string
  readonly for?: string
  readonly reads?: string
}

type Report = (path: FieldPath, message: string, suggestion?: string) => undefined

const reporterOf = ({ source, lineOf }: YamlDocument, problems: Problem[]): Report => {
  return (path, message, suggestion) => {
    const found = { source, line: lineOf(path), field: fieldText(path), message }
    problems.push(suggestion === undefined ? found : { ...found, suggestion })
    return undefined
  }
}

const duration = (text: string, path: FieldPath, report: Report): number | undefined => {
  try {
    return parseDurationMs(text)
  } catch {
    return report(path, `${JSON.stringify(text)} is not a time span`, 'write it like 90s, 10m or 1h30m')
  }
}

const datePattern = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$/

const timeOfDay = (text: string, path: FieldPath, report: Report): number | undefined => {
  const readsMs = datePattern.test(text) ? new Date(text).getTime() : Number.NaN
  if (Number.isNaN(readsMs))
    return report(path, `${JSON.stringify(text)} is no date`, 'write it like 1970-01-01 or 2036-03-01T08:00Z')
  if (readsMs < 0) return report(path, 'is before 1970', 'a machine without a battery says 1970-01-01')
  return readsMs
}

/** The tower places by the labels it sees. */
const showsLabels = (topology: Topology, { name, kind }: Target): boolean => {
  const site = kind === 'site' ? siteNamed(topology, name) : undefined
  return site !== undefined && visibleTo(topology, site.path, topology.root.path, 'names') === 'all'
}

const nameOf = (written: WrittenStep): DeedKind | undefined => deeds.find((kind) => written[kind] !== undefined)

/** Reads the steps one after the other; what comes later depends on what stands before. */
const createStepReader = (topology: Topology, report: Report) => {
  const versions = [firstVersion]
  const targetAt = (name: string, path: FieldPath): Target | undefined =>
    findTarget(topology, name) ??
    report(
      path,
      `there is no zone, site or host ${JSON.stringify(name)} in ${topology.network}`,
      targetHint(topology, name),
    )

  const versionOf = (kind: 'upgrade' | 'rollback', text: string, path: FieldPath): string | undefined => {
    if (kind === 'rollback' && !versions.includes(text))
      return report(path, `version ${JSON.stringify(text)} was not out before`, nameHint(text, versions))
    if (kind === 'upgrade' && !/^[A-Za-z0-9][A-Za-z0-9.+-]{0,31}$/.test(text))
      return report(path, 'a version is up to 32 letters, digits, dots and dashes', 'write it like "2"')
    if (kind === 'upgrade' && versions.includes(text))
      return report(path, `version ${text} was out before`, `name a new one, or write rollback: "${text}"`)
    return text
  }

  return (written: WrittenStep, at: number): PlannedStep | undefined => {
    const path: FieldPath = ['steps', at]
    const kind = nameOf(written)
    const second = deeds.filter((name) => written[name] !== undefined)[1]
    if (kind === undefined) return report(path, 'says nothing to do', `write one of ${deeds.join(', ')}`)
    if (second !== undefined)
      return report(
        [...path, second],
        `a step does one thing, this one does ${kind} already`,
        'make it a step of its own',
      )
    const text = written[kind] ?? ''
    const atMs = duration(written.at ?? '', [...path, 'at'], report)
    const lastsMs = written.for === undefined ? undefined : duration(written.for, [...path, 'for'], report)
    const lasting = kind === 'cut' || kind === 'power' || kind === 'clock' || kind === 'label'
    if (written.for !== undefined && !lasting) return report([...path, 'for'], `${kind} does not last`, 'leave it out')
    if (lastsMs === 0) return report([...path, 'for'], 'lasts no time at all', 'write it like 10m, or leave it out')
    if (written.reads !== undefined && kind !== 'clock')
      return report([...path, 'reads'], 'is what a clock says, and this step sets none', 'leave it out')
    if (kind === 'upgrade' || (kind === 'rollback' && text !== 'previous')) {
      const version = versionOf(kind, text, [...path, kind])
      if (kind === 'upgrade' && version !== undefined) versions.push(version)
      return atMs === undefined || version === undefined ? undefined : { atMs, kind, version }
    }
    if (kind === 'rollback') return atMs === undefined ? undefined : { atMs, kind, version: undefined }
    const target = kind === 'heal' && text === 'all' ? 'all' : targetAt(text, [...path, kind])
    if (target === undefined) return undefined
    if (kind === 'cut' && target !== 'all' && target.name === '/')
      return report([...path, kind], 'nothing is outside of /', 'name a zone, a site or a host')
    if (kind === 'label' && (target === 'all' || !showsLabels(topology, target)))
      return report(
        [...path, kind],
        target !== 'all' && target.kind === 'site'
          ? 'the tower does not see the labels of this site, so it places nothing by them'
          : 'a label is given to a site',
        'name a site in zones that let names out',
      )
    const deed = ((): Deed | undefined => {
      if (kind === 'heal') return { kind, target }
      if (target === 'all') return undefined
      const untilMs = lastsMs === undefined || atMs === undefined ? undefined : atMs + lastsMs
      if (kind !== 'clock') return { kind, target, untilMs }
      if (written.reads === undefined)
        return report(path, 'does not say what the clock reads', 'write reads: 1970-01-01')
      const readsMs = timeOfDay(written.reads, [...path, 'reads'], report)
      return readsMs === undefined ? undefined : { kind, target, untilMs, readsMs }
    })()
    return atMs === undefined || deed === undefined ? undefined : { atMs, ...deed }
  }
}

const sameTarget = (a: Target | 'all', b: Target): boolean => a === 'all' || a.name === b.name

/** Steps out of order or after the end, and heals of what nothing was done to. */
const orderProblems = (steps: readonly { step: PlannedStep; at: number }[], lastsMs: number, report: Report): void => {
  for (const [index, { step: one, at }] of steps.entries()) {
    if (one.atMs < (steps[index - 1]?.step.atMs ?? 0))
      report(['steps', at, 'at'], 'is before the step above it', 'write the steps in the order of their time')
    if (one.atMs > lastsMs)
      report(['steps', at, 'at'], 'is after the end', 'make the scenario last longer, or the step earlier')
    if (one.kind !== 'heal' || one.target === 'all') continue
    const { target } = one
    const isHarmed = steps.some(
      ({ step: before }) => 'untilMs' in before && before.atMs < one.atMs && sameTarget(target, before.target),
    )
    if (!isHarmed)
      report(
        ['steps', at, 'heal'],
        `nothing was done to ${target.name} by then`,
        'heal what was cut, without power, with a wrong clock or a label, under the same name',
      )
  }
}

/**
 * Reads a scenario file, format 1, for one tree.
 *
 * @param source the file as the person named it, for messages
 * @throws {InvalidInputError} with every problem found, in source order
 */
export const parseScenario = (text: string, source: string, topology: Topology): WeekPlan => {
  const document = readYaml(text, source, { limitBytes: limits.fileBytes, advice: 'cut it into several scenarios' })
  const { value } = document
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidInputError([
      { source, line: 1, field: '', message: 'a scenario is a map', suggestion: 'start it with version: 1' },
    ])
  const { version } = value as { version?: unknown }
  if (typeof version === 'number' && version > readableVersion)
    throw new InvalidInputError([
      {
        source,
        line: document.lineOf(['version']),
        field: 'version',
        message: `the scenario is written in version ${version}, this program reads version ${readableVersion}`,
        suggestion: 'use a newer skerry',
      },
    ])
  const problems: Problem[] = shapeProblems(scenarioSchema, document)
  // Nothing can be said of what a file means that has not the shape of one.
  if (problems.length > 0) throw refuseDocument(problems)
  const report = reporterOf(document, problems)
  const written = value as {
    readonly scenario: string
    readonly lasts: string
    readonly 'converge-within'?: string
    readonly steps: readonly WrittenStep[]
  }
  const lastsMs = duration(written.lasts, ['lasts'], report)
  const convergeMs = duration(written['converge-within'] ?? '5m', ['converge-within'], report)
  if (lastsMs !== undefined && (lastsMs === 0 || lastsMs > limits.lastsMs))
    report(['lasts'], 'is between a second and seven days', 'write it like 30m')
  if (!/^[\w][\w .-]{0,79}$/.test(written.scenario))
    report(['scenario'], 'a name is up to 80 letters, digits, spaces, dots and dashes', 'write it like uplink-lost')
  const readStep = createStepReader(topology, report)
  const steps = written.steps.flatMap((one, at) => {
    const read = readStep(one, at)
    return read ? [{ step: read, at }] : []
  })
  orderProblems(steps, lastsMs ?? limits.lastsMs, report)
  if (problems.length > 0) throw refuseDocument(problems)
  return {
    name: written.scenario,
    lastsMs: lastsMs ?? 0,
    convergeMs: convergeMs ?? 0,
    quietMs: 5 * 60_000,
    days: [],
    steps: steps.map((one) => one.step),
    leftOut: [],
  }
}
