import { formatDuration, nearestName } from '../../../base/index.ts'
import type { SeenLabels } from '../../../topologies/index.ts'
import type { ApplicationRevision, IntentEntry, StoredApplication, StoredDeployment } from './config-store.ts'
import { explainInstance } from './explain-instance.ts'
import { deployedRevision } from './intent.ts'
import { keysOfPlacement, placementMismatch, placementText, type SitePlace } from './placement.ts'
import { type HostReport, staleAfterMs } from './report.ts'
import type { Hash } from './revision.ts'
import { type PlacedInstance, spreadInstances } from './spread.ts'

/** The steps from a specification to a ready container, in order. */
export const explainSteps = [
  'application',
  'deployment',
  'version',
  'signed',
  'site',
  'placement',
  'hosts',
  'link',
  'accepted',
  'engine',
  'image',
  'network',
  'started',
  'running',
  'probes',
  'ready',
] as const

export type ExplainStep = (typeof explainSteps)[number]

/** One link of the chain: `done` holds now, `stopped` is where it ends, `unknown` cannot be said or was not reached. */
export interface ExplainLink {
  readonly step: ExplainStep
  readonly state: 'done' | 'stopped' | 'unknown'
  readonly text: string
  /** Age in milliseconds of what the text rests on. */
  readonly ageMs?: number
}

/** Where and why a chain ends. */
export interface Stop {
  readonly stoppedAt: ExplainStep
  /** Stable and kebab-case. */
  readonly reason: string
  /** What to do next. */
  readonly advice: string
  /** There when nobody can say how things are now: for how many milliseconds, and what the host said last. */
  readonly unknown?: { readonly sinceMs?: number; readonly lastKnown?: string }
}

export type Explanation = {
  readonly application: string
  readonly site: string
  readonly links: readonly ExplainLink[]
} & ({ readonly ok: true } | ({ readonly ok: false } & Stop))

/** A change as it was signed: what every site may check. */
export interface SignedChange {
  /** Names. */
  readonly application: string
  readonly deployment: string
  readonly revision: string
  /** Id of the signed record. */
  readonly version?: string
  /** Id of the key that signed it. */
  readonly signer: string
  /** Counts the signer's versions of the deployment. */
  readonly order: number
  /** How long ago it was on disk here, in milliseconds. @default not known */
  readonly ageMs?: number
}

export interface ExplainQuestion {
  readonly application: string
  readonly site: string
  readonly applications: readonly StoredApplication[]
  readonly deployments: readonly StoredDeployment[]
  readonly places: readonly SitePlace[]
  readonly entries: readonly IntentEntry[]
  /** The signed changes known here, the last of each deployment. @default nothing is known of signatures here */
  readonly signed?: readonly SignedChange[]
  /** The order number of the newest intent of the site, where its parent does not say. */
  readonly intentOrder: number
  readonly reports: readonly HostReport[]
  readonly hash: Hash
  /** @default 30000, in milliseconds */
  readonly staleMs?: number
  /** The labels of a site that the placement of a deployment sees. @default all it has */
  readonly seen?: (site: string, deployment: string) => SeenLabels | undefined
  /** Zones that keep back what is in them: what is not known here may be there. @default none */
  readonly borders?: readonly string[]
}

/** The links so far, and what ended them. */
export interface Chain {
  readonly links: readonly ExplainLink[]
  readonly stop?: Stop
}

interface Decided {
  readonly revision: ApplicationRevision
  readonly instances: readonly PlacedInstance[]
}

const done = (step: ExplainStep, text: string): ExplainLink => ({ step, state: 'done', text })

const stopped = (
  links: readonly ExplainLink[],
  step: ExplainStep,
  text: string,
  reason: string,
  advice: string,
): Chain => ({
  links: [...links, { step, state: 'stopped', text }],
  stop: { stoppedAt: step, reason, advice },
})

/** `otherwise` says what to do where no near name was meant. */
const didYouMean = (name: string, known: readonly string[], otherwise: string): string => {
  const near = nearestName(name, known)
  if (near) return `Did you mean ${near}? If not, ${otherwise}`
  return known.length === 0
    ? `There is none yet: ${otherwise}`
    : `There is ${known.slice(0, 10).join(', ')}. If none of them is meant, ${otherwise}`
}

/** What may be behind a border and what is nowhere answer alike. */
const beyond = (
  links: readonly ExplainLink[],
  deployment: StoredDeployment,
  site: string,
  known: readonly string[],
  borders: readonly string[],
): Chain => {
  const { name, placement } = deployment.spec
  const keys = keysOfPlacement(placement)
  const unseen =
    keys.length === 0
      ? ''
      : `; of ${keys.join(' and ')} deployment ${name} sees there only what stands on that border and outside of it`
  const there = known.length === 0 ? 'there is none' : known.slice(0, 10).join(', ')
  return stopped(
    links,
    'site',
    `site ${site} is not known here; beyond here ${borders.join(', ')} ${borders.length === 1 ? 'answers' : 'answer'}${unseen}`,
    'no-such-site',
    `Ask a node of ${borders.join(' or ')}, or name a site that is known here: ${there}`,
  )
}

const versionText = (version: string) => (version === '' ? 'without a version' : `version ${version}`)

/** The signed change that says what is wanted. A node that holds no signatures cannot say, and goes on. */
const explainSigned = (
  { signed }: ExplainQuestion,
  { spec: { name } }: StoredDeployment,
  { version, revision }: ApplicationRevision,
): ExplainLink => {
  if (signed === undefined) return { step: 'signed', state: 'unknown', text: 'who signed it is not known here' }
  const change = signed.find((one) => one.deployment === name && one.revision === revision)
  if (change === undefined) {
    const former = signed.find((one) => one.deployment === name)
    const last = former ? `; the last one signed is number ${former.order}` : ''
    return { step: 'signed', state: 'stopped', text: `no change to ${versionText(version)} is signed yet${last}` }
  }
  const { order, signer, ageMs } = change
  const text = `number ${order} of deployment ${name} is signed by key ${signer.slice(0, 12)}`
  return { step: 'signed', state: 'done', text, ...(ageMs !== undefined && { ageMs }) }
}

/** The part of the chain that is decided here: from the application to the hosts of the site. */
const decide = (question: ExplainQuestion): Chain & { readonly decided?: Decided } => {
  const { application: name, site } = question
  const links: ExplainLink[] = []
  const application = question.applications.find((candidate) => candidate.name === name)
  if (!application) {
    const known = question.applications.map((candidate) => candidate.name)
    return stopped(
      links,
      'application',
      `there is no application ${name}`,
      'no-such-application',
      didYouMean(name, known, 'apply it with "skerry apply -f FILE"'),
    )
  }
  links.push(done('application', `application ${name} is known`))

  const deployment = question.deployments.find(({ spec }) => spec.application === name)
  if (!deployment)
    return stopped(
      links,
      'deployment',
      `no deployment refers to application ${name}`,
      'no-deployment',
      `Apply a deployment with application: ${name} and a placement that matches ${site}`,
    )
  const placement = deployment.spec.placement
  links.push(done('deployment', `deployment ${deployment.spec.name} sends it to ${placementText(placement)}`))

  const wanted = deployment.spec['application-version']
  const revision = deployedRevision(deployment, application)
  if (!revision) {
    const held = application.revisions.map(({ version }) => version || 'one without a version').join(', ')
    return stopped(
      links,
      'version',
      `deployment ${deployment.spec.name} asks for version ${wanted}, which is not held`,
      'no-such-version',
      `Held: ${held}. Apply that version again, or change application-version`,
    )
  }
  links.push(
    done('version', `${wanted === '*' ? 'the newest' : 'the one asked for'} is ${versionText(revision.version)}`),
  )

  const signature = explainSigned(question, deployment, revision)
  links.push(signature)
  if (signature.state === 'stopped')
    return {
      links,
      stop: {
        stoppedAt: 'signed',
        reason: 'not-signed',
        advice: 'Wait a few seconds; if it stays, see the log of the tower: it signs what it holds',
      },
    }

  const place = question.places.find((candidate) => candidate.site === site)
  if (!place) {
    const known = question.places.map((candidate) => candidate.site)
    const { borders = [] } = question
    if (borders.length > 0) return beyond(links, deployment, site, known, borders)
    return stopped(
      links,
      'site',
      `there is no site ${site} in the topology`,
      'no-such-site',
      didYouMean(site, known, 'add it to the topology; "skerry tree" shows what is there'),
    )
  }
  links.push(done('site', `site ${site} is at ${place.scope}`))

  const seen = question.seen?.(site, deployment.spec.name)
  const mismatch = placementMismatch(placement, place, seen)
  const isKept =
    seen?.border !== undefined &&
    question.entries.some((entry) => entry.site === site && entry.application === name && entry.phase === 'run')
  if (mismatch !== undefined && !isKept)
    return stopped(
      links,
      'placement',
      `the placement does not match ${site}: ${mismatch}`,
      'placement-does-not-match',
      seen?.border === undefined
        ? `Change the labels of ${site} in the topology, or the placement of deployment ${deployment.spec.name}`
        : `Place deployment ${deployment.spec.name} by labels of ${seen.border} itself or of zones around it, or let operators of ${seen.border} deploy it`,
    )
  links.push(
    done(
      'placement',
      mismatch === undefined
        ? `the placement matches ${site}`
        : `${site} was told before: it runs on until another version comes, for the placement does not match: ${mismatch}`,
    ),
  )

  const instances = spreadInstances(revision.spec, place, question.hash)
  if (instances.length === 0)
    return place.hosts.length === 0
      ? stopped(
          links,
          'hosts',
          `site ${site} has no host that matches`,
          'no-host',
          `Add a host to ${site} in the topology`,
        )
      : stopped(links, 'hosts', `application ${name} asks for no instance`, 'no-instances', 'Set replicas to 1 or more')
  const hosts = [...new Set(instances.map(({ host }) => host))]
  links.push(
    done('hosts', `${instances.length} ${instances.length === 1 ? 'instance' : 'instances'} on ${hosts.join(', ')}`),
  )
  return { links, decided: { revision, instances } }
}

/** Of the chains of all instances the one that ends first; the readiest one when none ends. */
const firstToEnd = (chains: readonly Chain[]): Chain => {
  const length = (chain: Chain) => (chain.stop ? explainSteps.indexOf(chain.stop.stoppedAt) : explainSteps.length)
  return chains.toSorted((a, b) => length(a) - length(b))[0] ?? { links: [] }
}

const notReached = 'not reached'

const withTheRest = (links: readonly ExplainLink[]): readonly ExplainLink[] => [
  ...links,
  ...explainSteps.slice(links.length).map((step): ExplainLink => ({ step, state: 'unknown', text: notReached })),
]

/** The chain from the application to its ready containers at one site, and the exact place where it ends. */
export const explain = (question: ExplainQuestion): Explanation => {
  const { application, site } = question
  const here = decide(question)
  if (!here.decided) return { application, site, ok: false, links: withTheRest(here.links), ...(here.stop as Stop) }
  const { revision, instances } = here.decided
  const chains = instances.map((placed) =>
    explainInstance({
      site,
      placed,
      revision,
      record: question.signed?.find((one) => one.revision === revision.revision)?.version,
      intentOrder: question.intentOrder,
      report: question.reports.find((report) => report.site === site && report.host === placed.host),
      staleMs: question.staleMs ?? staleAfterMs,
    }),
  )
  const chain = firstToEnd(chains)
  const well = chains.filter(({ stop }) => !stop).length
  const links = withTheRest([...here.links, ...chain.links])
  if (!chain.stop) return { application, site, ok: true, links }
  const advice =
    instances.length > 1 && well > 0
      ? `${chain.stop.advice}. ${well} of ${instances.length} instances are ready`
      : chain.stop.advice
  return { application, site, ok: false, links, ...chain.stop, advice }
}

/** The links that say something: those after the end of the chain are left out. */
export const reachedLinks = ({ links }: Pick<Explanation, 'links'>): readonly ExplainLink[] =>
  links.filter(({ text }) => text !== notReached)

const mark = { done: 'ok     ', stopped: 'STOP   ', unknown: 'unknown' } as const

const unknownText = ({ sinceMs, lastKnown }: NonNullable<Stop['unknown']>): string =>
  `unknown${sinceMs === undefined ? '' : ` for ${formatDuration(sinceMs)}`}${lastKnown === undefined ? '' : `; last known: ${lastKnown}`}`

/** An explanation as lines for a person; steps that were not reached are left out. */
export const describeExplanation = (explanation: Explanation): string => {
  const lines = reachedLinks(explanation).map(({ step, state, text, ageMs }) => {
    const age = ageMs === undefined ? '' : ` (${formatDuration(ageMs)} ago)`
    return `  ${mark[state]}  ${step.padEnd(11)}  ${text}${age}`
  })
  const head = `${explanation.application} at ${explanation.site}: `
  if (explanation.ok) return [`${head}ready`, ...lines].join('\n')
  const { stoppedAt, reason, advice, unknown } = explanation
  const end = unknown ? unknownText(unknown) : `stopped at ${stoppedAt}`
  return [`${head}${end} (${reason})`, ...lines, `What to do: ${advice}.`].join('\n')
}
