import { readFile } from 'node:fs/promises'
import { SkerryError } from '../../../base/index.ts'
import type { AuthorityKeyView, RenewedView, RetiredView, ZoneAuthorityView } from '../../api/index.ts'
import {
  type CliCommand,
  type CliContext,
  type CommandInput,
  listOption,
  textArgument,
  textOption,
} from '../command.ts'
import { usageError } from '../failure.ts'
import { formatTable, printable } from '../table.ts'

const path = '/v1/state/zone-authority'
const draftVersion = 1

const keyRows = (keys: readonly AuthorityKeyView[], state: string): readonly string[][] =>
  keys.map(({ fingerprint, host }) => [printable(host ?? '-'), fingerprint, state])

/** Who speaks for a zone, for a person. */
export const authorityText = (view: ZoneAuthorityView): string => {
  const rows = [
    ...keyRows(view.keys, 'signs for the zone'),
    ...keyRows(view.waiting, 'not on the list'),
    ...keyRows(view.rival?.keys ?? [], 'shows another authority'),
  ]
  const by = view.succession === 'own' ? 'its own' : 'granted from above'
  const above =
    view.succession === 'granted' ? 'signed above' : view.countersigned ? 'countersigned' : 'not countersigned'
  return [
    `${printable(view.scope)}  authority ${view.id} (${by})`,
    `generation ${view.generation}, ${above}${view.succession === 'own' ? `; its list changes with ${view.threshold} of its ${view.keys.length} keys` : ''}`,
    '',
    `${formatTable([{ title: 'host' }, { title: 'fingerprint' }, { title: 'key' }], rows)}`,
    ...view.notes.map((line) => printable(line)),
    '',
  ].join('\n')
}

const renewedText = (view: RenewedView): string =>
  view.outcome === 'made'
    ? `generation ${view.generation} of ${printable(view.scope)} is in force\n`
    : `${view.signed} of ${view.needed} keys signed generation ${view.generation} of ${printable(view.scope)}; at another node of the zone: skerry zones authority ${printable(view.scope)} --sign FILE\n`

/** A draft as a file: what `--sign` reads. */
const draftFile = ({ scope, generation, draft = '' }: RenewedView): string =>
  `${JSON.stringify({ version: draftVersion, zone: scope, generation, draft }, null, 2)}\n`

const readDraft = async (file: string): Promise<string> => {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new SkerryError('file-not-read', `cannot read ${file}`, { cause: error })
  })
  try {
    const { version, outcome, draft } = JSON.parse(text) as Readonly<Record<string, unknown>>
    // Also what --json printed.
    if ((version === draftVersion || outcome === 'draft') && typeof draft === 'string') return draft
  } catch {
    // Told below, like any other file that is no draft.
  }
  throw new SkerryError(
    'invalid-input',
    `${file} is no draft of version ${draftVersion}: use what --add or --remove printed`,
  )
}

const change = async (input: CommandInput, context: CliContext, zone: string): Promise<void> => {
  const threshold = textOption(input, 'threshold')
  const value = {
    zone,
    add: listOption(input, 'add'),
    remove: listOption(input, 'remove'),
    ...(threshold !== undefined && { threshold: Number(threshold) }),
  }
  await answer(
    context,
    await context.client().ask<RenewedView>('POST', `${path}/renew`, { body: { kind: 'json', value } }),
  )
}

const answer = async (context: CliContext, view: RenewedView): Promise<void> => {
  if (view.outcome === 'made') return context.result(view, renewedText(view))
  for (const line of renewedText(view).trimEnd().split('\n')) context.say(line)
  await context.result(view, draftFile(view))
}

export const authorityCommand: CliCommand = {
  name: 'authority',
  summary:
    'who speaks for a zone: show its keys, change them at the zone itself, retire them from above when they are lost',
  args: [{ name: '[path]', text: 'path of the zone [default: that of the asked node]' }],
  options: [
    { flags: '--add <key>', text: 'put the key of an enrolled aggregator on the list, by its fingerprint', many: true },
    { flags: '--remove <key>', text: 'take a key off the list, by its fingerprint', many: true },
    { flags: '--threshold <n>', text: 'how many keys it takes to change the list from then on' },
    { flags: '--sign <file>', text: 'sign a draft that another node of the zone printed' },
    { flags: '--retire <id>', text: 'right above the zone: close its authority for ever, because its keys are lost' },
  ],
  examples: [
    'skerry zones authority /south',
    'skerry zones authority /south --add 3f9a04c2b7716e58 > next.json',
    'skerry zones authority /south --sign next.json',
  ],
  run: async (input, context) => {
    const zone = textArgument(input, 0)
    const [sign, retire] = [textOption(input, 'sign'), textOption(input, 'retire')]
    const isChange =
      listOption(input, 'add').length + listOption(input, 'remove').length > 0 || input.options.threshold !== undefined
    const asked = Number(isChange) + Number(sign !== undefined) + Number(retire !== undefined)
    if (asked > 1) throw usageError('change the list, --sign a draft or --retire: one at a time')
    if (asked > 0 && zone === '') throw usageError('name the zone: skerry zones authority /south …')
    const client = context.client()
    if (isChange) await change(input, context, zone)
    else if (sign !== undefined) {
      const value = { zone, draft: await readDraft(sign) }
      await answer(context, await client.ask<RenewedView>('POST', `${path}/sign`, { body: { kind: 'json', value } }))
    } else if (retire !== undefined) {
      const value = { zone, id: retire.replace(/…$/, '') }
      const view = await client.ask<RetiredView>('POST', `${path}/retire`, { body: { kind: 'json', value } })
      await context.result(view, view.lost.map((line) => `${printable(line)}\n`).join(''))
    } else {
      const view = await client.ask<ZoneAuthorityView>('GET', path, { query: zone === '' ? {} : { zone } })
      await context.result(view, authorityText(view))
    }
    return 0
  },
}
