import { parseDurationMs } from '../../../base/index.ts'
import type { ExecView } from '../../api/index.ts'
import { type CliCommand, textArgument, textOption } from '../command.ts'
import { usageError } from '../failure.ts'
import { findTargets, selectionOptions, targetText } from './instances.ts'

/** Over the command's own time: to be forwarded and answered. */
const answerMs = 60_000

const timeoutMsOf = (text: string): number => {
  try {
    return parseDurationMs(text)
  } catch (error) {
    throw usageError(`--timeout: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export const execCommand: CliCommand = {
  name: 'exec',
  summary: 'run a command in a container and end with its exit code',
  args: [
    { name: '<app>', text: 'the application' },
    { name: '<cmd...>', text: 'after --: program and arguments, without a shell' },
  ],
  options: [...selectionOptions, { flags: '--timeout <duration>', text: 'kill the command after this', default: '1m' }],
  examples: ['skerry exec shop -- ls -l /', "skerry exec shop --instance web-1 -- sh -c 'echo $HOSTNAME'"],
  run: async (input, context) => {
    const timeout = textOption(input, 'timeout') ?? '1m'
    const timeoutMs = timeoutMsOf(timeout)
    const cmd = input.args[1]
    const targets = await findTargets(context, {
      application: textArgument(input, 0),
      service: textOption(input, 'service'),
      instance: textOption(input, 'instance'),
      container: textOption(input, 'container'),
      site: textOption(input, 'site'),
    })
    const target = targets.find(({ ready }) => ready) ?? targets[0]
    if (!target) throw usageError('no container is meant')
    if (targets.length > 1) context.say(`in ${targetText(target)}, the first of ${targets.length}`)
    const { site, instance, container } = target
    const path = `/v1/state/service-instances/${encodeURIComponent(instance)}/exec`
    const view = await context.client().ask<ExecView>('POST', path, {
      query: { site },
      body: { kind: 'json', value: { container, cmd, timeout } },
      timeoutMs: timeoutMs + answerMs,
    })
    if (context.json) {
      await context.result({ site, instance, container, ...view }, '')
      return view['exit-code']
    }
    await context.out(Buffer.from(view.stdout, 'base64'))
    await context.errorOut(Buffer.from(view.stderr, 'base64'))
    if (view.truncated) context.say('(the output was longer; the rest was dropped)')
    return view['exit-code']
  },
}
