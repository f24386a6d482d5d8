import type { ExplainView } from '../../api/index.ts'
import { type CliCommand, textArgument, textOption } from '../command.ts'
import { printable } from '../table.ts'
import { ageText } from './status.ts'

const marks = { done: 'ok  ', stopped: 'STOP', unknown: '?   ' } as const

/** The chain, one link a line, and where it stopped. */
export const explainText = (view: ExplainView): string => {
  const links = view.links.map(({ state, step, text, 'age-ms': ageMs }) => {
    const age = ageMs === undefined ? '' : ` (${ageText(ageMs)})`
    return printable(`${marks[state]}  ${step}: ${text}${age}`)
  })
  const end = view.ok
    ? `${view.application} runs at ${view.site}`
    : `${view.application} does not run at ${view.site}${view['stopped-at'] ? `: it stopped at ${view['stopped-at']}` : ''}`
  return `${[...links, '', printable(end), ...(view.advice ? [printable(`what to do: ${view.advice}`)] : [])].join('\n')}\n`
}

export const explainCommand: CliCommand = {
  name: 'explain',
  summary: 'why an application runs on a site, or where the way there stopped',
  args: [{ name: '<app>', text: 'the application' }],
  options: [{ flags: '--site <site>', text: 'the site asked about', required: true }],
  examples: ['skerry explain shop --site shop-1'],
  run: async (input, context) => {
    const path = `/v1/state/applications/${encodeURIComponent(textArgument(input, 0))}/explain`
    const view = await context.client().ask<ExplainView>('GET', path, { query: { site: textOption(input, 'site') } })
    await context.result(view, explainText(view))
    return 0
  },
}
