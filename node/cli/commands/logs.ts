import { parseSizeBytes } from '../../../base/index.ts'
import { type CliCommand, type CliContext, textArgument, textOption } from '../command.ts'
import { usageError } from '../failure.ts'
import { createPrefixer } from '../prefix-lines.ts'
import { findTargets, selectionOptions, type Target, targetText } from './instances.ts'

/** Followed at a time: each is a connection of its own. */
const mostFollowed = 32

const tailBytes = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  try {
    return parseSizeBytes(text)
  } catch (error) {
    throw usageError(`--tail: ${error instanceof Error ? error.message : String(error)}`)
  }
}

interface Reading {
  readonly tail: number | undefined
  readonly follow: boolean
  readonly prefixed: boolean
}

const openLog = (context: CliContext, { site, instance, container }: Target, { tail, follow }: Reading) =>
  context.client().stream(`/v1/state/service-instances/${encodeURIComponent(instance)}/logs`, {
    site,
    container,
    'tail-bytes': tail,
    follow: follow || undefined,
  })

const printLog = async (context: CliContext, target: Target, reading: Reading): Promise<void> => {
  const chunks = await openLog(context, target, reading)
  const prefixer = createPrefixer(reading.prefixed ? `${targetText(target)} | ` : '')
  try {
    for await (const chunk of chunks) await context.out(reading.prefixed ? prefixer.add(chunk) : chunk)
  } catch (error) {
    if (!context.signal.aborted) throw error
  }
  if (reading.prefixed) await context.out(prefixer.end())
}

/** One JSON value: without `-f` a list, with it an object a line, because that never ends. */
const printJson = async (context: CliContext, targets: readonly Target[], reading: Reading): Promise<void> => {
  const entry = (target: Target, text: string) => ({
    site: target.site,
    instance: target.instance,
    container: target.container,
    text,
  })
  const whole: object[] = []
  const readOne = async (target: Target) => {
    const decoder = new TextDecoder()
    let text = ''
    for await (const chunk of await openLog(context, target, reading)) {
      const part = decoder.decode(chunk, { stream: true })
      if (reading.follow) await context.out(`${JSON.stringify(entry(target, part))}\n`)
      else text += part
    }
    if (!reading.follow) whole.push(entry(target, text + decoder.decode()))
  }
  if (reading.follow) await Promise.all(targets.map(readOne))
  else for (const target of targets) await readOne(target)
  if (!reading.follow) await context.result(whole, '')
}

export const logsCommand: CliCommand = {
  name: 'logs',
  summary: 'what the containers of an application wrote',
  args: [{ name: '<app>', text: 'the application' }],
  options: [
    ...selectionOptions,
    { flags: '--tail <size>', text: 'only so much of the past, like 10KiB; 0 for none' },
    { flags: '-f, --follow', text: 'go on with what comes, until Ctrl-C' },
  ],
  examples: ['skerry logs shop', 'skerry logs shop --service web --tail 4KiB -f'],
  run: async (input, context) => {
    const follow = input.options.follow === true
    const tail = tailBytes(textOption(input, 'tail'))
    const targets = await findTargets(context, {
      application: textArgument(input, 0),
      service: textOption(input, 'service'),
      instance: textOption(input, 'instance'),
      container: textOption(input, 'container'),
      site: textOption(input, 'site'),
    })
    if (follow && targets.length > mostFollowed)
      throw usageError(
        `${targets.length} containers are too many to follow: choose with --site, --service or --instance`,
      )
    const reading = { tail, follow, prefixed: targets.length > 1 }
    if (context.json) await printJson(context, targets, reading)
    else if (follow) await Promise.all(targets.map((target) => printLog(context, target, reading)))
    else for (const target of targets) await printLog(context, target, reading)
    return 0
  },
}
