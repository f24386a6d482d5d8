import { parseDurationMs, SkerryError, sleep } from '../../../base/index.ts'
import type { ApplicationStateView, ApplicationZoneView, DocumentChange, ImageView } from '../../api/index.ts'
import { type CliCommand, type CliContext, type CommandInput, listOption, textOption } from '../command.ts'
import { usageError } from '../failure.ts'
import { namesInArchive, readDocumentFile, readStdin } from '../local-files.ts'
import { printable } from '../table.ts'
import { importImage } from './images.ts'

const pollMs = 500

interface File {
  readonly source: string
  readonly text: string
}

interface Named {
  readonly name: string
  readonly digest: string
}

const sendAll = (context: CliContext, files: readonly File[], dryRun: boolean, images: readonly Named[]) =>
  context.client().ask<DocumentChange[]>('POST', '/v1/config', {
    query: { 'dry-run': dryRun || undefined },
    body: { kind: 'json', value: { files, ...(images.length > 0 && { images }) } },
  })

const appliedLine = ({ kind, name, outcome, impact }: DocumentChange, dryRun: boolean): string =>
  `${kind} ${name} ${dryRun ? 'would be ' : ''}${outcome}${impact && impact.length > 0 ? `: ${impact.map(printable).join(', ')}` : ''}\n`

/**
 * How far an application is, in one line. Ready when every site, and every zone of which only counts are known, has all
 * it wants of what the deployment asks for now.
 */
export const readiness = (view: ApplicationStateView): { readonly ready: boolean; readonly line: string } => {
  const told = view.sites.filter(({ phase }) => phase === 'run')
  const counted = view.zones ?? []
  const sum = (name: 'wanted' | 'running' | 'ready') =>
    [...told, ...counted].reduce((total, one) => total + one[name].count, 0)
  const waiting = view.sites.flatMap((site) => site.waiting.map(({ reason }) => `${reason} at ${site.site}`))
  const why = waiting.length === 0 ? '' : ` (${[...new Set(waiting)].slice(0, 2).join(', ')})`
  const versions = [...new Set([...told, ...counted].map(({ version }) => version))].filter((version) => version !== '')
  const head = versions.length === 0 ? view.name : `${view.name} ${versions.join(' and ')}`
  // Counts come with a version, not with a revision; of a version that is not asked for now nothing may be left.
  const isCurrent = (zone: ApplicationZoneView) =>
    zone.version === view['wanted-version']
      ? zone.ready.count >= zone.wanted.count
      : zone.wanted.count + zone.running.count === 0
  return {
    ready:
      view['oper-status'] === 'running' &&
      told.every(({ revision }) => revision === view['wanted-revision']) &&
      counted.every(isCurrent),
    line: `${head}: ${sum('ready')} of ${sum('wanted')} ready, ${sum('running')} running${why}`,
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
      const site = views.flatMap(({ sites }) => sites).find(({ waiting }) => waiting.length > 0)?.site
      const lines = states.filter(({ ready }) => !ready).map(({ line }) => printable(line))
      const at = site === undefined ? '' : ` --site ${printable(site)}`
      const advice = `see "skerry explain ${applications[0]}${at}"`
      throw new SkerryError('not-ready', `not ready after ${timeoutMs / 1000} s: ${lines.join('; ')}\n${advice}`)
    }
    await sleep(clock, pollMs, signal)
    signal.throwIfAborted()
  }
}

/** Applications that a deployment among the documents, or one applied before, puts somewhere. */
const deployedAmong = async (context: CliContext, applied: readonly DocumentChange[]): Promise<readonly string[]> => {
  const deployments = await context
    .client()
    .ask<{ name: string; application: string }[]>('GET', '/v1/config/application-deployments', {
      query: { fields: 'name,application' },
    })
  const touched = (kind: DocumentChange['kind'], name: string) =>
    applied.some((one) => one.kind === kind && one.name === name)
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
    const files: File[] = []
    for (const file of listOption(input, 'file'))
      files.push(
        file === '-'
          ? { source: 'stdin', text: await readStdin(context.stdin) }
          : { source: printable(file).slice(-300), text: readDocumentFile(file) },
      )
    const archives = listOption(input, 'image')
    const coming: Named[] = []
    const images: ImageView[] = []
    for (const archive of archives)
      if (dryRun) coming.push(...(await namesInArchive(archive)))
      else images.push(...(await importImage(context, archive)))
    for (const { name } of coming) context.say(`would import ${printable(name)}`)
    for (const { name } of images) context.say(`imported ${printable(name)}`)
    const applied = await sendAll(context, files, dryRun, coming)
    if (!context.json) for (const change of applied) await context.out(appliedLine(change, dryRun))
    if (input.options.wait === true && !dryRun) {
      const names = await deployedAmong(context, applied)
      if (names.length > 0) await waitForReady(context, names, timeoutMs)
      else context.say('nothing to wait for: no deployment names what was applied')
    }
    await context.result({ images, documents: applied }, '')
    return 0
  },
}
