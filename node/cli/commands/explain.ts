import type { ExplainView } from '../../api/index.ts'
import { type CliCommand, textArgument, textOption } from '../command.ts'
import { exitCodes } from '../failure.ts'
import { printable } from '../table.ts'
import { ageText } from './status.ts'

const marks = { done: 'ok  ', stopped: 'STOP', unknown: '?   ' } as const

const endText = ({ application, site, ok, unknown, 'stopped-at': stoppedAt }: ExplainView): string => {
  if (ok) return `${application} runs at ${site}`
  if (!unknown)
    return `${application} does not run at ${site}${stoppedAt === undefined ? '' : `: it stopped at ${stoppedAt}`}`
  const { 'since-ms': sinceMs, 'last-known': lastKnown } = unknown
  const since = sinceMs === undefined ? '' : ` for ${ageText(sinceMs)}`
  return `${application} at ${site}: unknown${since}${lastKnown === undefined ? '' : `; last known: ${lastKnown}`}`
}

/** The chain, one link a line, and where it stopped. */
export const explainText = (view: ExplainView): string => {
  const links = view.links.map(({ state, step, text, 'age-ms': ageMs }) => {
    const age = ageMs === undefined ? '' : ` (${ageText(ageMs)})`
    return printable(`${marks[state]}  ${step}: ${text}${age}`)
  })
  const advice = view.advice === undefined ? [] : [printable(`what to do: ${view.advice}`)]
  const note = view.note === undefined ? [] : [printable(`note: ${view.note}`)]
  const late = (view.late ?? []).map((line) => printable(line))
  return `${[...links, '', printable(endText(view)), ...advice, ...note, ...late].join('\n')}\n`
}

export const explainCommand: CliCommand = {
  name: 'explain',
  summary: 'why an application runs on a site, or where the way there stopped; ends with 0 only when it runs',
  args: [{ name: '<app>', text: 'the application' }],
  options: [{ flags: '--site <site>', text: 'the site asked about; needed where several are concerned' }],
  examples: ['skerry explain shop', 'skerry explain shop --site shop-1'],
  run: async (input, context) => {
    const path = `/v1/state/applications/${encodeURIComponent(textArgument(input, 0))}/explain`
    const view = await context.client().ask<ExplainView>('GET', path, { query: { site: textOption(input, 'site') } })
    await context.result(view, explainText(view))
    return view.ok ? exitCodes.ok : exitCodes.refused
  },
}
