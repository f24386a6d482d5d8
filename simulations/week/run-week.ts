import { errorText, SkerryError } from '../../base/index.ts'
import type { SkerryNode } from '../../node/index.ts'
import { nodesOf, type Topology, zones } from '../../topologies/index.ts'
import { bringUp, createWorld, type World } from '../world/index.ts'
import { checkNames } from './check-names.ts'
import { checkHosts, checkRest } from './checks.ts'
import { createHarms, isHarmful } from './harms.ts'
import { createVersionLedger, type VersionLedger } from './ledger.ts'
import { asked, createOperator } from './operator.ts'
import { firstVersion, type PlannedStep, type WeekPlan } from './plan.ts'
import type { CheckRow, DoneStep, WeekRecord, ZoneRow } from './record.ts'
import { applicationName, deploymentName, guestName, imageName } from './shown-application.ts'
import { watchLinks } from './watch-links.ts'
import { agesBySite, watchSites } from './watch-sites.ts'

/** Every node is up, linked and runs the first version within this time, or the tree does not come up. */
const prepareMs = 600_000
const lookEveryMs = 1_000
const askEveryMs = 10_000

/** What is going on, for somebody who waits. */
export interface WeekProgress {
  /** Of the plan; undefined while the tree is brought up. */
  readonly atMs: number | undefined
  readonly ofMs: number
  readonly events: number
  /** What begins or ends now; undefined when only time has passed. */
  readonly step: { readonly done: PlannedStep; readonly isEnd: boolean } | undefined
}

export interface WeekOptions {
  readonly topology: Topology
  readonly topologyFile: string
  readonly plan: WeekPlan
  readonly scenarioFile: string | undefined
  readonly seed: number
  readonly onProgress: (progress: WeekProgress) => void
  /** Ends the run early; it then throws `interrupted`. */
  readonly signal: AbortSignal
  /** Promises that failed and nobody waited for: each would have ended a real node. @default none are heard of */
  readonly strays?: () => readonly string[]
}

type Writable<Row> = { -readonly [Key in keyof Row]: Row[Key] }

const doneStepOf = (step: PlannedStep): Writable<DoneStep> => {
  const target = 'target' in step ? step.target : undefined
  const named = target === 'all' ? undefined : target
  return {
    kind: step.kind,
    atMs: step.atMs,
    endMs: undefined,
    target: target === 'all' ? 'all' : (named?.name ?? ''),
    targetKind: target === 'all' ? 'all' : (named?.kind ?? ''),
    sites: named?.sites ?? [],
    machines: named?.machines ?? [],
    version: 'version' in step ? (step.version ?? '') : '',
    readsMs: step.kind === 'clock' ? step.readsMs : undefined,
    refused: undefined,
    answeredMs: undefined,
  }
}

const zoneRows = (topology: Topology): readonly ZoneRow[] =>
  zones(topology).map(({ path, privacy, hosts }) => ({
    path,
    name: path === '/' ? topology.network : path.slice(path.lastIndexOf('/') + 1),
    depth: path === '/' ? 0 : path.split('/').length - 1,
    privacy,
    hosts: hosts.map((host) => host.name),
  }))

/** Asks the tower how old its knowledge is, without waiting for the answer; one question at a time for each life of it. */
const createListener = (world: World, heard: (ages: ReadonlyMap<string, number>) => void) => {
  let busy: SkerryNode | undefined
  const ask = async (node: SkerryNode) => {
    const siteRows = await node.services.state.sites(asked)
    const application = await node.services.state.application(applicationName, asked)
    const ageOf = <Row extends { readonly 'age-ms'?: number }>(rows: readonly Row[], name: (row: Row) => string) =>
      new Map(rows.flatMap((row) => (row['age-ms'] === undefined ? [] : [[name(row), row['age-ms']] as const])))
    const zoneAges = ageOf(application?.zones ?? [], ({ zone }) => zone)
    heard(
      agesBySite(
        world.topology,
        ageOf(siteRows, ({ name }) => name),
        zoneAges,
      ),
    )
  }
  return () => {
    const node = world.machines.find((one) => one.place.role === 'tower' && one.node())?.node()
    if (!node || node === busy) return
    busy = node
    const over = () => {
      if (busy === node) busy = undefined
    }
    ask(node).then(over, over)
  }
}

/** The version the tower holds; empty when it holds none, undefined while none answers. */
const heldVersion = async (world: World): Promise<string | undefined> => {
  const tower = world.machines.find((one) => one.place.role === 'tower' && one.node())?.node()
  if (!tower) return undefined
  const held = await world.settled(tower.services.config.read('application-deployments', deploymentName, asked))
  return held === undefined ? '' : String(held.value['application-version'])
}

/** Invariants 3 and 6: what the tower said is done stands, and in the end it is what runs everywhere. */
const checkOutcome = async (
  world: World,
  ledger: VersionLedger,
  lacking: readonly string[],
  siteCount: number,
): Promise<readonly CheckRow[]> => {
  const version = (await heldVersion(world)) ?? ''
  const candidates = [...ledger.candidates()]
  const done = ledger.history().filter(({ outcome }) => outcome === 'done').length
  return [
    {
      invariant: 3,
      sentence: 'once all is healed, every site comes to be as wanted in time',
      judged: siteCount,
      violations: lacking,
    },
    {
      invariant: 6,
      sentence: 'what the tower said is done is not lost',
      judged: done,
      violations: candidates.includes(version)
        ? []
        : [`the tower holds version ${version || 'nothing'}; what it said is done comes to ${candidates.join(' or ')}`],
    },
  ]
}

/** Invariant 5, as far as a label moves an application. */
const checkPlaces = (misplaced: readonly string[], siteCount: number): CheckRow => ({
  invariant: 5,
  sentence: 'an application whose label was taken away is gone',
  judged: siteCount,
  violations: misplaced.map((name) => `${name} still runs ${guestName} without its label`),
})

/** Takes a tree through a plan in virtual time, and answers with all that was seen. @throws {SkerryError} `interrupted` */
export const runWeek = async (options: WeekOptions): Promise<WeekRecord> => {
  const { topology, plan, seed, signal } = options
  const world = await createWorld({
    seed,
    topology,
    images: [{ name: imageName, bytes: Buffer.from(`${imageName} `.repeat(4_000)) }],
  })
  const ledger = createVersionLedger()
  const links = watchLinks(topology)
  const watch = watchSites(world)
  const rest = checkRest(world)
  const checks = [checkNames(topology), ...checkHosts(world, ledger), rest]
  const died: string[] = []
  let startMs = 0
  const nowMs = () => Math.round(world.nowMs() - startMs)
  for (const { observer } of [links, ...checks]) world.observe(observer)
  world.observe({
    write: (machine, { name }) => {
      if (name === 'state/accepted') watch.took(machine, nowMs())
    },
    died: (machine, error) => died.push(`the node on ${machine} ended by itself: ${errorText(error)}`),
  })
  const listen = createListener(world, (ages) => watch.heard(nowMs(), ages))

  const harms = createHarms(world)
  const siteNames = watch.rows().map(({ name }) => name)
  let wantedNow = firstVersion
  const lacking = () => siteNames.filter((name) => !watch.runs(name, wantedNow))
  /** Where the second application is though it should not be, or is not though it should. */
  const misplaced = () => siteNames.filter((name) => watch.guests(name) > 0 !== harms.isLabelled(name))
  const share: [number, number][] = []
  let lookedMs = 0
  const look = () => {
    watch.sample(nowMs())
    const now = watch.share(wantedNow)
    if (share.at(-1)?.[1] !== now) share.push([nowMs(), now])
    if (nowMs() - lookedMs < askEveryMs) return
    lookedMs = nowMs()
    listen()
  }
  const progress = (atMs: number | undefined, step: WeekProgress['step']) =>
    options.onProgress({ atMs, ofMs: plan.lastsMs, events: world.events(), step })
  /** Runs on, looking every second. */
  const runUntil = async (untilMs: number, isOver: () => boolean = () => false) => {
    while (nowMs() < untilMs && !isOver()) {
      if (signal.aborted) throw new SkerryError('interrupted', 'the simulation was interrupted')
      await world.runUntil(startMs + Math.min(untilMs, nowMs() + lookEveryMs), () => signal.aborted)
      look()
      progress(nowMs(), undefined)
    }
  }
  const strayRows = () => [...died, ...(options.strays?.() ?? [])]

  // Brings the tree up, and the first version with it.
  let isUp = false
  let failure = ''
  bringUp(world).then(
    () => {
      isUp = true
    },
    (error: unknown) => {
      failure = errorText(error)
    },
  )
  const giveUp = () => signal.aborted || failure !== ''
  progress(undefined, undefined)
  await world.runUntil(prepareMs, () => isUp || giveUp())
  const operator = createOperator(world, ledger)
  if (isUp)
    operator.deploy(firstVersion, ({ refused }) => {
      if (refused !== undefined) failure = refused
    })
  while (isUp && !giveUp() && world.nowMs() < prepareMs && lacking().length > 0)
    await world.runUntil(world.nowMs() + lookEveryMs, signal.aborted ? () => true : undefined)
  if (signal.aborted) throw new SkerryError('interrupted', 'the simulation was interrupted')
  if (!isUp || lacking().length > 0)
    throw new SkerryError(
      'not-brought-up',
      `${topology.network} does not come up: ${failure || (isUp ? `${lacking().join(', ')} run nothing after ${prepareMs / 1000} s` : 'not every node is linked to its parent')}`,
    )
  if (plan.steps.some(({ kind }) => kind === 'label')) await world.settled(operator.deployGuest())
  const preparedMs = Math.round(world.nowMs())
  startMs = world.nowMs()
  const wanted = [{ atMs: 0, version: wantedNow }]
  look()

  // What is done, and what of it ends.
  const done = new Map(plan.steps.map((step) => [step, doneStepOf(step)]))
  const ended = (step: PlannedStep) => {
    const row = done.get(step)
    if (row && row.endMs === undefined) row.endMs = nowMs()
  }
  const begin = (step: PlannedStep) => {
    const row = done.get(step)
    if (isHarmful(step)) return harms.begin(step)
    if (step.kind === 'heal') return harms.heal(step.target).forEach(ended)
    const answered = ({
      version,
      refused,
      answeredMs,
    }: {
      version: string
      refused: string | undefined
      answeredMs: number
    }) => {
      if (row) Object.assign(row, { refused, answeredMs, version: row.version || version })
      if (version === '') return
      wantedNow = version
      wanted.push({ atMs: nowMs(), version })
    }
    return step.kind === 'upgrade' ? operator.deploy(step.version, answered) : operator.rollback(step.version, answered)
  }
  const moments = plan.steps
    .flatMap((step) => [
      { atMs: step.atMs, step, isEnd: false },
      ...('untilMs' in step && step.untilMs !== undefined && step.untilMs < plan.lastsMs
        ? [{ atMs: step.untilMs, step, isEnd: true }]
        : []),
    ])
    .toSorted((a, b) => a.atMs - b.atMs || Number(b.isEnd) - Number(a.isEnd))
  for (const { atMs, step, isEnd } of moments) {
    await runUntil(atMs)
    if (!isEnd) begin(step)
    else if (harms.underWay().some((one) => one === step)) {
      if (isHarmful(step)) harms.end(step)
      ended(step)
    }
    progress(nowMs(), { done: step, isEnd })
    look()
  }
  await runUntil(plan.lastsMs)
  const healedMs = nowMs()
  harms.heal('all').forEach(ended)

  // Where no answer came, only the tower can say what it has done.
  if (ledger.history().some(({ outcome }) => outcome === 'unknown')) {
    await runUntil(healedMs + plan.convergeMs, () =>
      world.machines.some((one) => one.place.role === 'tower' && one.node() !== undefined),
    )
    const held = await heldVersion(world)
    if (held !== undefined && held !== wantedNow && ledger.candidates().has(held)) {
      wantedNow = held
      wanted.push({ atMs: nowMs(), version: held })
    }
  }
  const hasGuest = plan.steps.some(({ kind }) => kind === 'label')
  await runUntil(healedMs + plan.convergeMs, () => lacking().length === 0 && misplaced().length === 0)
  const late = lacking()
  const lost = misplaced()
  const convergedMs = late.length === 0 && lost.length === 0 ? nowMs() : undefined
  if (convergedMs !== undefined) {
    // What is only tidied: spare images go a minute after things have settled.
    await runUntil(nowMs() + 90_000)
    rest.expectRest()
    await runUntil(nowMs() + plan.quietMs)
  }
  const words = late.map(
    (name) => `${name} does not run version ${wantedNow} ${plan.convergeMs / 1000} s after all was healed`,
  )
  const outcome = await checkOutcome(world, ledger, words, siteNames.length)
  const strays = strayRows()
  return {
    network: topology.network,
    topologyFile: options.topologyFile,
    scenarioFile: options.scenarioFile,
    plan: plan.name,
    seed,
    days: plan.days,
    leftOut: plan.leftOut,
    zones: zoneRows(topology),
    sites: watch.rows(),
    nodes: nodesOf(topology).length,
    preparedMs,
    tookMs: nowMs(),
    healedMs,
    convergedMs,
    quietMs: convergedMs === undefined ? 0 : plan.quietMs,
    steps: [...done.values()],
    wanted,
    share,
    links: links.rows(),
    checks: [
      ...[
        ...checks.map((check) => check.row()),
        ...outcome,
        ...(hasGuest ? [checkPlaces(lost, siteNames.length)] : []),
      ].toSorted((a, b) => a.invariant - b.invariant),
      { invariant: 0, sentence: 'no node ends by itself', judged: nodesOf(topology).length, violations: strays },
    ],
    events: world.events(),
    digest: world.digest(),
  }
}
