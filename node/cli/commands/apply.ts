import { parseDurationMs, SkerryError, sleep } from '../../../base/index.ts'
import type { ApplicationStateView, ConfigChange, ImageView } from '../../api/index.ts'
import { type CliCommand, type CliContext, type CommandInput, listOption, textOption } from '../command.ts'
import { type Document, splitDocuments } from '../documents.ts'
import { usageError } from '../failure.ts'
import { readDocumentFile, readStdin } from '../local-files.ts'
import { printable } from '../table.ts'
import { importImage } from './images.ts'

const pollMs = 500

interface Applied {
  readonly kind: 'application' | 'deployment'
  readonly name: string
  readonly outcome: ConfigChange['outcome']
  readonly impact?: readonly string[]
}

const send = async (context: CliContext, document: Document, dryRun: boolean): Promise<Applied> => {
  const { kind, name, ...body } = document
  const path = `/v1/config/${kind}`
  const asking = { query: { 'dry-run': dryRun || undefined }, body: { kind: 'text', ...body } } as const
  const change = await (name === undefined
    ? context.client().ask<ConfigChange>('POST', path, asking)
    : context.client().ask<ConfigChange>('PUT', `${path}/${name}`, asking))
  return {
    kind: kind === 'applications' ? 'application' : 'deployment',
    name: change.name,
    outcome: change.outcome,
    ...(change.impact && { impact: change.impact }),
  }
}

const appliedLine = ({ kind, name, outcome, impact }: Applied, dryRun: boolean): string =>
  `${kind} ${name} ${dryRun ? 'would be ' : ''}${outcome}${impact && impact.length > 0 ? `: ${impact.map(printable).join(', ')}` : ''}\n`

/** How far an application is, in one line; ready when every site has all it wants in the newest version. */
export const readiness = (view: ApplicationStateView): { readonly ready: boolean; readonly line: string } => {
  const sum = (name: 'wanted' | 'running' | 'ready') => view.sites.reduce((total, site) => total + site[name].count, 0)
  const newest = view.sites.every(({ version }) => version === view.version)
  const waiting = view.sites.flatMap((site) => site.waiting.map(({ reason }) => `${reason} at ${site.site}`))
  const why = waiting.length === 0 ? '' : ` (${[...new Set(waiting)].slice(0, 2).join(', ')})`
  return {
    ready: view['oper-status'] === 'running' && newest,
    line: `${view.name}: ${sum('ready')} of ${sum('wanted')} ready, ${sum('running')} running${why}`,
  }
}

const waitForReady = async (context: CliContext, applications: readonly string[], timeoutMs: number): Promise<void> => {
  const { clock, signal } = context
  const endMs = clock.monotonicMs() + timeoutMs
  for (;;) {
    const views = await Promise.all(
      applications.map((name) => context.client().ask<ApplicationStateView>('GET', `/v1/state/applications/${name}`)),
    )
    const states = views.map(readiness)
    context.progress(printable(states.map(({ line }) => line).join('; ')))
    if (states.every(({ ready }) => ready)) return context.progress('')
    if (clock.monotonicMs() > endMs) {
      const site = views.flatMap(({ sites }) => sites).find(({ waiting }) => waiting.length > 0)?.site ?? 'SITE'
      const lines = states.filter(({ ready }) => !ready).map(({ line }) => printable(line))
      const advice = `see "skerry explain ${applications[0]} --site ${printable(site)}"`
      throw new SkerryError('not-ready', `not ready after ${timeoutMs / 1000} s: ${lines.join('; ')}\n${advice}`)
    }
    await sleep(clock, pollMs, signal)
    signal.throwIfAborted()
  }
}

/** Applications that a deployment among the documents, or one applied before, puts somewhere. */
const deployedAmong = async (context: CliContext, applied: readonly Applied[]): Promise<readonly string[]> => {
  const deployments = await context
    .client()
    .ask<{ name: string; application: string }[]>('GET', '/v1/config/application-deployments', {
      query: { fields: 'name,application' },
    })
  const touched = (kind: Applied['kind'], name: string) => applied.some((one) => one.kind === kind && one.name === name)
  const names = deployments
    .filter(({ name, application }) => touched('deployment', name) || touched('application', application))
    .map(({ application }) => application)
  return [...new Set(names)].toSorted()
}

const readTimeout = (input: CommandInput): number => {
  try {
    return parseDurationMs(textOption(input, 'timeout') ?? '')
  } catch (error) {
    throw usageError(`--timeout: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export const applyCommand: CliCommand = {
  name: 'apply',
  summary: 'create or replace the applications and deployments of a file',
  options: [
    {
      flags: '-f, --file <file>',
      text: 'YAML or JSON, one or more documents; - reads standard input',
      required: true,
      many: true,
    },
    { flags: '--image <archive>', text: 'import this OCI archive first; may be given several times', many: true },
    { flags: '--dry-run', text: 'say what would change; change nothing and import nothing' },
    { flags: '--wait', text: 'wait until what was applied is ready everywhere' },
    { flags: '--timeout <duration>', text: 'how long to wait', default: '5m' },
  ],
  examples: [
    'skerry apply -f shop.yaml',
    'skerry apply -f shop.yaml --image shop.tar --wait',
    'cat shop.yaml | skerry apply -f -',
  ],
  run: async (input, context) => {
    const dryRun = input.options.dryRun === true
    const timeoutMs = readTimeout(input)
    const documents: Document[] = []
    for (const file of listOption(input, 'file'))
      documents.push(
        ...(file === '-'
          ? splitDocuments(await readStdin(context.stdin), 'stdin')
          : splitDocuments(readDocumentFile(file), file)),
      )
    const images: ImageView[] = []
    for (const archive of dryRun ? [] : listOption(input, 'image'))
      images.push(...(await importImage(context, archive)))
    for (const { name } of images) context.say(`imported ${printable(name)}`)
    const applied: Applied[] = []
    const byKind = documents.toSorted((a, b) => (a.kind === b.kind ? 0 : a.kind === 'applications' ? -1 : 1))
    for (const document of byKind) {
      const done = await send(context, document, dryRun)
      applied.push(done)
      if (!context.json) await context.out(appliedLine(done, dryRun))
    }
    if (input.options.wait === true && !dryRun) {
      const names = await deployedAmong(context, applied)
      if (names.length > 0) await waitForReady(context, names, timeoutMs)
      else context.say('nothing to wait for: no deployment names what was applied')
    }
    await context.result({ images, documents: applied }, '')
    return 0
  },
}
