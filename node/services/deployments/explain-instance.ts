import { formatDuration } from '../../../base/index.ts'
import type { ApplicationStatus, InstanceStatus, Waiting, WaitingReason } from '../../../runtime/index.ts'
import type { ApplicationRevision } from './config-store.ts'
import type { Chain, ExplainLink, ExplainStep } from './explain.ts'
import { type HostReport, seenAgeMs } from './report.ts'
import type { PlacedInstance } from './spread.ts'
import { unsureOf } from './unsure.ts'
import { waitingWords } from './waiting-words.ts'

export interface InstanceQuestion {
  readonly site: string
  readonly placed: PlacedInstance
  readonly revision: ApplicationRevision
  /** Id of the signed record that names the revision, where it is known. */
  readonly record: string | undefined
  readonly intentOrder: number
  readonly report: HostReport | undefined
  readonly staleMs: number
}

/** The steps a host reports on, after it accepted the intent. */
const hostSteps = ['engine', 'image', 'network', 'started', 'running', 'probes', 'ready'] as const
type HostStep = (typeof hostSteps)[number]

/** The step at which each reason ends the chain; those of the way up depend on how far it is. */
const fixedStep: Readonly<Partial<Record<WaitingReason, HostStep>>> = {
  'engine-unavailable': 'engine',
  'image-not-here': 'image',
  'fetching-image': 'image',
  'image-refused': 'image',
  'needs-containerd': 'image',
  'disk-full': 'image',
  'no-free-port': 'network',
  'port-taken': 'network',
  'network-failed': 'network',
  'start-failed': 'started',
  'crash-loop': 'running',
  'backing-off': 'running',
  'out-of-memory': 'running',
  'probe-failing': 'probes',
}

const stepOf = (waiting: Waiting, instance: InstanceStatus | undefined): HostStep => {
  const fixed = fixedStep[waiting.reason]
  if (fixed) return fixed
  const container = instance?.containers.find(({ name }) => name === waiting.container)
  if (container?.state === 'running' && waiting.reason === 'starting') return 'probes'
  return waiting.container === undefined ? 'network' : 'started'
}

/** Of what an instance waits for, what ends the chain first. */
const firstWaiting = (application: ApplicationStatus, id: string, instance: InstanceStatus | undefined) =>
  application.waiting
    .filter((waiting) => waiting.instance === undefined || waiting.instance === id)
    .map((waiting) => ({ waiting, step: stepOf(waiting, instance) }))
    .toSorted((a, b) => hostSteps.indexOf(a.step) - hostSteps.indexOf(b.step))[0]

const whileText = ({ forMs, retryInMs }: Waiting): string => {
  const retry = retryInMs === undefined ? '' : `, next try in ${formatDuration(retryInMs)}`
  return ` (for ${formatDuration(forMs)}${retry})`
}

/** What each step says when it holds. */
const doneText = (
  step: HostStep,
  host: string,
  application: ApplicationStatus,
  instance: InstanceStatus | undefined,
): string => {
  if (step === 'engine') return `the container engine on ${host} answers`
  if (step === 'image') return `${host} holds ${application.images.map(({ name }) => name).join(', ')}`
  if (step === 'network') {
    const ports = instance?.ports.map(({ hostPort, containerPort }) => `${hostPort} leads to ${containerPort}`) ?? []
    return ports.length === 0 ? 'the instance has its network' : `the instance has its network: ${ports.join(', ')}`
  }
  if (step === 'started') return 'every container was started'
  if (step === 'running')
    return `running: ${instance?.containers.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')}`
  return step === 'probes' ? 'every probe that is asked for succeeds' : `${instance?.id} is ready`
}

/** Where an instance stands when no reason was given for its not being ready. */
const unexplained = (instance: InstanceStatus | undefined): HostStep | undefined => {
  if (!instance || instance.containers.some(({ state }) => state === 'absent')) return 'started'
  if (instance.containers.some(({ state }) => state !== 'running')) return 'running'
  return instance.ready ? undefined : 'ready'
}

const explainHost = (
  { site, placed, revision, report }: InstanceQuestion,
  application: ApplicationStatus,
  portRange: readonly [number, number],
): Chain => {
  const ageMs = seenAgeMs(report)
  const age = ageMs === undefined ? {} : { ageMs }
  const instance = application.instances.find(({ id }) => id === placed.id)
  const first = instance?.ready ? undefined : firstWaiting(application, placed.id, instance)
  const end = first ? first.step : unexplained(instance)
  const before = end === undefined ? hostSteps : hostSteps.slice(0, hostSteps.indexOf(end))
  const links = before.map(
    (step): ExplainLink => ({ step, state: 'done', text: doneText(step, placed.host, application, instance), ...age }),
  )
  if (end === undefined) return { links }
  if (!first) {
    const text = `${placed.id} on ${placed.host} is not there yet, and the host gives no reason`
    const stop = {
      stoppedAt: end,
      reason: 'not-yet',
      advice: `Ask again; if it stays, see the node's log on ${placed.host}`,
    }
    return { links: [...links, { step: end, state: 'stopped', text, ...age }], stop }
  }
  const { waiting } = first
  const { text, advice } = waitingWords[waiting.reason]({ site, placed, revision, waiting, portRange })
  return {
    links: [...links, { step: end, state: 'stopped', text: `${text}${whileText(waiting)}`, ...age }],
    stop: { stoppedAt: end, reason: waiting.reason, advice },
  }
}

const notNow = ({ links }: Chain, from: readonly ExplainLink[]): readonly ExplainLink[] => [
  ...from,
  ...links.map((link): ExplainLink => ({ ...link, state: 'unknown', text: `last known: ${link.text}` })),
]

/** What a host last said of its instance, in a few words; undefined when it never spoke of it. */
const lastKnownText = (chain: Chain | undefined, hasReported: boolean): string | undefined => {
  if (!chain) return hasReported ? 'not accepted yet' : undefined
  if (!chain.stop) return 'ready'
  return chain.stop.reason === 'engine-unavailable' ? undefined : `stopped at ${chain.stop.stoppedAt}`
}

/** Ends the chain at the link or the engine; what the host last said follows as last known, with its age. */
const unsureChain = (question: InstanceQuestion, unsure: NonNullable<ReturnType<typeof unsureOf>>): Chain => {
  const { placed, report } = question
  const step: ExplainStep = unsure.reason === 'engine-unavailable' ? 'engine' : 'link'
  const seen = report?.receivedAgeMs === undefined ? '' : `; last heard ${formatDuration(report.receivedAgeMs)} ago`
  const accepted = report?.status?.applications.find(({ revision }) => revision === question.revision.revision)
  const stop = (text: string, reason: string, advice: string, before: readonly ExplainLink[] = []): Chain => {
    const links: readonly ExplainLink[] = [...before, { step, state: 'unknown', text }]
    const chain = accepted && report?.status && explainHost(question, accepted, report.status.portRange)
    const rest = chain?.links ?? []
    const known: readonly ExplainLink[] =
      step === 'link' && accepted
        ? [
            ...links,
            {
              step: 'accepted',
              state: 'unknown',
              text: 'last known: accepted',
              ...(report?.receivedAgeMs !== undefined && { ageMs: report.receivedAgeMs }),
            },
          ]
        : links
    const after = rest.slice(step === 'engine' ? 1 : 0)
    const lastKnown = lastKnownText(chain, report?.status !== undefined)
    const unknown = {
      ...(unsure.sinceMs !== undefined && { sinceMs: unsure.sinceMs }),
      ...(lastKnown !== undefined && { lastKnown }),
    }
    return { links: notNow({ links: after }, known), stop: { stoppedAt: step, reason, advice, unknown } }
  }
  if (unsure.reason === 'engine-unavailable') {
    const before = [linkUp(question), acceptedLink(question)]
    const error = report?.status?.engine.error ?? 'no answer'
    return stop(
      `the container engine on ${placed.host} has not answered for ${formatDuration(unsure.sinceMs ?? 0)}: ${error}`,
      unsure.reason,
      `On ${placed.host}, see that containerd runs and that its disk is not full; what runs keeps running`,
      before,
    )
  }
  if (unsure.reason === 'never-heard' && (!report || report.link === 'never'))
    return stop(
      `the edge of host ${placed.host} has never connected`,
      'never-connected',
      `Start skerry-edge on ${placed.host}, and see that it reaches its parent`,
    )
  if (unsure.reason === 'never-heard')
    return stop(
      `host ${placed.host} is connected but has not reported yet`,
      'not-reported',
      'Wait a few seconds and ask again',
    )
  if (unsure.reason === 'report-old')
    return stop(
      `host ${placed.host} is connected, but its ${unsure.text}`,
      'report-old',
      `See the node's log on ${placed.host}: it should report every few seconds`,
    )
  return stop(
    `the link to host ${placed.host} is down for ${formatDuration(report?.linkForMs ?? 0)}${seen}`,
    'link-down',
    `See that ${placed.host} is on and reaches its parent; until then it carries on with what it was told last`,
  )
}

const linkUp = ({ placed, report }: InstanceQuestion): ExplainLink => ({
  step: 'link',
  state: 'done',
  text: `host ${placed.host} is connected for ${formatDuration(report?.linkForMs ?? 0)}`,
})

const acceptedLink = ({ placed, revision, report }: InstanceQuestion): ExplainLink => {
  const version = revision.version === '' ? 'this application' : `version ${revision.version}`
  const age = report?.receivedAgeMs === undefined ? {} : { ageMs: report.receivedAgeMs }
  const accepted = report?.status?.applications.some((application) => application.revision === revision.revision)
  // It runs what it accepted, and says what it was asked for in its place.
  const refusal = report?.refusals?.find((one) => one.application === revision.spec.name)
  const since = refusal === undefined ? '' : `, and refused what its parent asks for since: ${refusal.message}`
  return accepted
    ? { step: 'accepted', state: 'done', text: `${placed.host} accepted ${version}${since}`, ...age }
    : { step: 'accepted', state: 'stopped', text: `${placed.host} has not accepted ${version} yet`, ...age }
}

/** What to do about a refused version, by the code of the refusal. */
const refusalAdvice = (code: string, host: string): string => {
  if (code === 'not-entitled' || code === 'out-of-scope')
    return 'Have the tenant delegate signing to that key for a scope that holds the site, or sign the change at the tower'
  if (code === 'stale' || code === 'rival')
    return 'Sign the change anew at the tower, with a higher number; a rollback is a new change too'
  if (code === 'blocked') return 'Unblock the key or the tenant, or sign the change with another key'
  if (code === 'newer-format') return `Update the node on ${host}`
  if (code === 'name-taken') return 'Remove one of the two applications, or give it another name'
  return `See that ${host} has the records of the tenant: it gets them from its parent; if it stays, see its log`
}

/** A refusal by the host of what it was told: the version that is wanted, or another one that its parent made of it. */
const explainRefusal = ({ placed, revision, record, report }: InstanceQuestion): Chain | undefined => {
  const refusal = report?.refusals?.find((one) => one.application === revision.spec.name)
  if (refusal === undefined) return undefined
  const age = report?.receivedAgeMs === undefined ? {} : { ageMs: report.receivedAgeMs }
  const isAnother = record !== undefined && refusal.version !== undefined && record !== refusal.version
  const what = revision.version === '' ? 'the change' : `version ${revision.version}`
  const refused = isAnother ? `what its parent asks for in place of ${what}` : what
  return {
    links: [
      { step: 'accepted', state: 'stopped', text: `${placed.host} refused ${refused}: ${refusal.message}`, ...age },
    ],
    stop: {
      stoppedAt: 'accepted',
      reason: 'version-refused',
      advice: isAnother
        ? `See who holds the key of the parent of ${placed.host}: it asks for what was not signed here`
        : refusalAdvice(refusal.code, placed.host),
    },
  }
}

/** The chain of one instance from the link to its host onward. */
export const explainInstance = (question: InstanceQuestion): Chain => {
  const { placed, revision, report, intentOrder, staleMs } = question
  const unsure = unsureOf(report, staleMs)
  if (unsure) return unsureChain(question, unsure)
  const accepted = acceptedLink(question)
  const application = report?.status?.applications.find((candidate) => candidate.revision === revision.revision)
  if (!application || !report?.status) {
    const refused = explainRefusal(question)
    if (refused) return { ...refused, links: [linkUp(question), ...refused.links] }
    const order = report?.acceptedOrder === undefined ? 'none' : `number ${report.acceptedOrder}`
    const text = `${accepted.text}: it is at ${order} of its orders, ${report?.intendedOrder ?? intentOrder} is the newest`
    const stop = {
      stoppedAt: 'accepted' as const,
      reason: 'not-accepted',
      advice: `Wait a few seconds; if it stays, see the node's log on ${placed.host}`,
    }
    return { links: [linkUp(question), { ...accepted, text }], stop }
  }
  const chain = explainHost(question, application, report.status.portRange)
  return { ...chain, links: [linkUp(question), accepted, ...chain.links] }
}
