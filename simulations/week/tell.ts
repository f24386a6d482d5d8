import {
  endOf,
  inTheWay,
  isChange,
  isHarm,
  ranFrom,
  silenceMs,
  stoodStillMs,
  versionAt,
  wantedAt,
  wantedUntil,
} from './readings.ts'
import type { DoneStep, SiteRow, WeekRecord } from './record.ts'
import { guestLabel } from './shown-application.ts'
import { afterWords, clockWords, countWords, dateWords, listWords, spanWords } from './words.ts'

/** One thing that happened, and what was seen of it. */
export interface Entry {
  readonly atMs: number
  /** Its step, by its place in the record; undefined for the end. */
  readonly step: number | undefined
  readonly tone: 'harm' | 'healed' | 'change' | 'end'
  readonly text: string
  /** What was seen at sites and at the tower, a sentence each. */
  readonly seen: readonly string[]
}

const namesOf = (sites: readonly SiteRow[]) => listWords(sites.map(({ name }) => name))

const targetWords = ({
  target,
  targetKind,
  sites,
  machines,
}: Pick<DoneStep, 'target' | 'targetKind' | 'sites' | 'machines'>): string => {
  if (targetKind === 'zone')
    return `${target} (${countWords(sites.length, 'site')}, ${countWords(machines.length, 'node')})`
  return machines.length > 1 ? `${target} (${countWords(machines.length, 'host')})` : target
}

const harmText = (step: DoneStep, lastsMs: number): string => {
  if (step.kind === 'cut') return `${targetWords(step)} is cut off for ${spanWords(lastsMs)}`
  if (step.kind === 'power') return `${targetWords(step)} has no power for ${spanWords(lastsMs)}`
  if (step.kind === 'label')
    return `${step.target} gets the label ${guestLabel.key} = ${guestLabel.value}, which a second application goes by, for ${spanWords(lastsMs)}`
  const clocks = step.machines.length === 1 ? `The clock of ${step.target} is` : `All clocks of ${step.target} are`
  return `${clocks} set to ${dateWords(step.readsMs ?? 0)}`
}

const healedText = (step: DoneStep): string => {
  if (step.kind === 'cut') return `${step.target} is reached again`
  if (step.kind === 'power') return `The power of ${step.target} is back`
  if (step.kind === 'label') return `The label of ${step.target} is taken away`
  const clocks = step.machines.length === 1 ? `The clock of ${step.target} is` : `The clocks of ${step.target} are`
  return `${clocks} right again`
}

const sitesOf = (record: WeekRecord, step: DoneStep): readonly SiteRow[] =>
  record.sites.filter(({ name }) => step.sites.includes(name))

const subject = (sites: readonly SiteRow[]): string =>
  sites.length === 1
    ? (sites[0]?.name ?? '')
    : sites.length === 2
      ? `both sites (${namesOf(sites)})`
      : `all ${sites.length} sites`

/** The subject at the head of a sentence: a name stays as it is written. */
const startWith = (sites: readonly SiteRow[]): string => {
  const text = subject(sites)
  return sites.length === 1 ? text : `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}

/** How the second application came to a site with its label, and went again. */
const guestSeen = (record: WeekRecord, site: SiteRow, fromMs: number, endMs: number): readonly string[] => {
  const visit = site.guest.find(({ fromMs: cameMs, toMs }) => cameMs <= endMs && toMs >= fromMs)
  if (!visit) return ['It never came to run there.']
  const came = `It ran there ${afterWords(Math.max(0, visit.fromMs - fromMs))}`
  return [
    visit.toMs >= record.tookMs
      ? `${came}, and ran there still at the end.`
      : `${came}, and was gone ${afterWords(Math.max(0, visit.toMs - endMs))} once the label was.`,
  ]
}

/** Whether a site's applications ran on while something lasted. */
const ranOn = (sites: readonly SiteRow[], fromMs: number, toMs: number): readonly string[] => {
  if (sites.length === 0) return []
  const still = sites.filter((site) => stoodStillMs(site, fromMs, toMs) > 0)
  if (still.length === 0) return [`${startWith(sites)} went on running all the time.`]
  const longestMs = Math.max(...still.map((site) => stoodStillMs(site, fromMs, toMs)))
  const rest = sites.length - still.length
  return [
    `${namesOf(still)} ran nothing for ${still.length > 1 ? 'up to ' : ''}${spanWords(longestMs)}${rest > 0 ? `; the other ${countWords(rest, 'site')} went on running` : ''}.`,
  ]
}

const heardAgain = (sites: readonly SiteRow[], endMs: number): readonly string[] => {
  const longestMs = silenceMs(sites, endMs)
  if (longestMs === 0) return []
  return [`The tower had heard nothing of ${sites.length === 1 ? 'it' : 'them'} for ${spanWords(longestMs)}.`]
}

/** What the sites of a harm that is over still lacked, and how they came by it. */
const caughtUp = (record: WeekRecord, sites: readonly SiteRow[], endMs: number): readonly string[] => {
  const wanted = wantedAt(record, endMs)
  const apart = sites.filter((site) => inTheWay(record, site, endMs).length > 0)
  const behind = sites.filter((site) => !apart.includes(site) && ranFrom(site, wanted, endMs, endMs) === undefined)
  if (apart.length > 0 && apart.length === sites.length)
    return [`Something else still stands in the way of ${namesOf(apart)}.`]
  if (behind.length === 0) return []
  const untilMs = wantedUntil(record, endMs)
  const stale = behind.filter((site) => !['', wanted].includes(versionAt(site, endMs)))
  const reached = behind.flatMap((site) => ranFrom(site, wanted, endMs, untilMs) ?? [])
  const old = [...new Set(stale.map((site) => versionAt(site, endMs)))]
  const words =
    stale.length > 0 ? [`${namesOf(stale)} still ran version ${listWords(old)}; version ${wanted} was wanted.`] : []
  if (reached.length < behind.length)
    return [
      ...words,
      `${countWords(behind.length - reached.length, 'site')} did not come to run version ${wanted} before something else was wanted.`,
    ]
  const took = behind.flatMap(({ accepted }) =>
    accepted.filter((one) => one.version === wanted && one.atMs >= endMs).slice(0, 1),
  )
  const lastMs = Math.max(...reached) - endMs
  const ran = `ran it ${afterWords(lastMs)}`
  const taken = took.length > 0 ? afterWords(Math.max(...took.map(({ atMs }) => atMs)) - endMs) : ''
  const how =
    taken === ''
      ? `ran version ${wanted} ${afterWords(lastMs)}`
      : taken === afterWords(lastMs)
        ? `took and ran version ${wanted} ${taken}`
        : `took version ${wanted} ${taken} and ${ran}`
  return [...words, `${startWith(behind)} ${how}.`]
}

/** Sites a change reaches at once are those it reaches within so long. */
const promptMs = 15_000

const changeSeen = (record: WeekRecord, step: DoneStep): readonly string[] => {
  const { atMs, version } = step
  // What the tower did not do reaches nobody.
  if (version === '' || !record.wanted.some((one) => one.version === version && one.atMs >= atMs)) return []
  const untilMs = wantedUntil(record, Math.max(atMs, record.wanted.find((one) => one.atMs >= atMs)?.atMs ?? atMs))
  const arrivals = record.sites.map((site) => ({ site, atMs: ranFrom(site, version, atMs, untilMs) }))
  const prompt = arrivals.filter((one) => one.atMs !== undefined && one.atMs - atMs <= promptMs)
  const late = arrivals.filter((one) => one.atMs !== undefined && one.atMs - atMs > promptMs)
  const never = arrivals.filter((one) => one.atMs === undefined)
  const blocked = late.filter(({ site }) => inTheWay(record, site, atMs).length > 0)
  const slow = late.filter(({ site }) => inTheWay(record, site, atMs).length === 0)
  const names = (some: typeof late) => namesOf(some.map(({ site }) => site))
  const when = (some: typeof late) => afterWords(Math.max(...some.map((one) => one.atMs ?? 0)) - atMs)
  const reached =
    prompt.length === record.sites.length ? startWith(record.sites) : `${prompt.length} of ${record.sites.length} sites`
  const stayed = blocked.length === 1 ? 'it stayed on what it had' : 'they stayed on what they had'
  return [
    ...(prompt.length > 0 ? [`${reached} ran it ${when(prompt)}.`] : []),
    ...(blocked.length > 0 ? [`${names(blocked)} could not be reached: ${stayed} and ran it ${when(blocked)}.`] : []),
    ...(slow.length > 0 ? [`${names(slow)} ran it only ${when(slow)}.`] : []),
    ...(never.length > 0 ? [`${names(never)} did not run it before something else was wanted.`] : []),
  ]
}

const changeText = (step: DoneStep): string => {
  const words =
    step.kind === 'upgrade'
      ? `Version ${step.version} goes out to every site`
      : `Somebody takes back the newest version: version ${step.version || 'before it'} is wanted again`
  return step.refused === undefined ? words : `${words}; nobody confirms it: ${step.refused}`
}

const entriesOf = (record: WeekRecord, step: DoneStep, at: number): readonly Entry[] => {
  const { atMs } = step
  if (isChange(step))
    return [{ atMs, step: at, tone: 'change', text: changeText(step), seen: changeSeen(record, step) }]
  if (!isHarm(step)) return []
  const endMs = endOf(record, step)
  const isInTheWay = step.kind === 'cut' || step.kind === 'power'
  // A clock, a label or the tower is nobody's way: then everybody is looked at.
  const concerned = step.sites.length > 0 && isInTheWay ? sitesOf(record, step) : record.sites
  return [
    { atMs, step: at, tone: 'harm', text: harmText(step, endMs - atMs), seen: [] },
    {
      atMs: endMs,
      step: at,
      tone: 'healed',
      text: healedText(step),
      seen: [
        ...ranOn(concerned, atMs, endMs),
        ...(step.kind === 'label' ? sitesOf(record, step).flatMap((site) => guestSeen(record, site, atMs, endMs)) : []),
        ...(isInTheWay ? [...heardAgain(concerned, endMs), ...caughtUp(record, concerned, endMs)] : []),
      ],
    },
  ]
}

const endEntry = (record: WeekRecord): Entry => {
  const { healedMs, convergedMs, quietMs } = record
  const text = 'Nothing more is done, and all is healed'
  if (convergedMs === undefined)
    return {
      atMs: healedMs,
      step: undefined,
      tone: 'end',
      text,
      seen: ['Not every site came to be as wanted in time.'],
    }
  const late = convergedMs - healedMs > 1_000
  return {
    atMs: healedMs,
    step: undefined,
    tone: 'end',
    text,
    seen: [
      late ? `Every site was as wanted ${afterWords(convergedMs - healedMs)}.` : 'Every site was as wanted already.',
      `Then nothing was started or stopped for ${spanWords(quietMs)}, as it must be.`,
    ],
  }
}

/** What happened and what was seen, in words and in order. */
export const tell = (record: WeekRecord): readonly Entry[] =>
  [...record.steps.flatMap((step, at) => entriesOf(record, step, at)), endEntry(record)].toSorted(
    (a, b) => a.atMs - b.atMs,
  )

/** When something was, as people say it: `day 3, 02:00`, or `02:00` where a plan has no days. */
export const momentWords = ({ days }: Pick<WeekRecord, 'days'>, atMs: number): string => {
  const at = days.findLastIndex(({ fromMs }) => fromMs <= atMs)
  const day = days[at]
  return day ? `day ${at + 1}, ${clockWords(atMs - day.fromMs)}` : clockWords(atMs)
}
