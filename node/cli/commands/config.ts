import { stringify } from 'yaml'
import { nearestName } from '../../../base/index.ts'
import type { ConfigChange, RollbackView } from '../../api/index.ts'
import { type CliCommand, textArgument, textOption } from '../command.ts'
import { usageError } from '../failure.ts'

const kinds: Readonly<Record<string, string>> = {
  application: 'applications',
  applications: 'applications',
  deployment: 'application-deployments',
  deployments: 'application-deployments',
  'application-deployments': 'application-deployments',
}

const pathOf = (kind: string): string => {
  const found = kinds[kind]
  if (found !== undefined) return `/v1/config/${found}`
  const near = nearestName(kind, Object.keys(kinds))
  throw usageError(
    `there is no kind ${JSON.stringify(kind)}: use applications or deployments${near ? `; did you mean ${near}?` : ''}`,
  )
}

export const getCommand: CliCommand = {
  name: 'get',
  summary: 'print applications or deployments as they were applied',
  args: [
    { name: '<kind>', text: 'applications or deployments' },
    { name: '[name]', text: 'only this one' },
  ],
  options: [{ flags: '--versions', text: 'the kept versions of the one named, newest first' }],
  examples: ['skerry get applications', 'skerry get application shop --versions', 'skerry get deployment shop-rollout'],
  run: async (input, context) => {
    const path = pathOf(textArgument(input, 0))
    const name = textArgument(input, 1)
    const versions = input.options.versions === true
    if (versions && name === '') throw usageError('--versions needs a name')
    const found = await context
      .client()
      .ask<unknown>('GET', name === '' ? path : `${path}/${encodeURIComponent(name)}`, {
        query: { 'version-list': versions || undefined },
      })
    const text = Array.isArray(found) ? found.map((one) => stringify(one)).join('---\n') : stringify(found)
    await context.result(found, text)
    return 0
  },
}

export const deleteCommand: CliCommand = {
  name: 'delete',
  summary: 'delete an application or a deployment',
  args: [
    { name: '<kind>', text: 'application or deployment' },
    { name: '<name>', text: 'its name' },
  ],
  options: [{ flags: '--dry-run', text: 'say what would happen; change nothing' }],
  examples: ['skerry delete deployment shop-rollout', 'skerry delete application shop'],
  run: async (input, context) => {
    const dryRun = input.options.dryRun === true
    const [kind, name] = [textArgument(input, 0), textArgument(input, 1)]
    const change = await context.client().ask<ConfigChange>('DELETE', `${pathOf(kind)}/${encodeURIComponent(name)}`, {
      query: { 'dry-run': dryRun || undefined },
    })
    await context.result(change, `${kind.replace(/s$/, '')} ${name} ${dryRun ? 'would be ' : ''}deleted\n`)
    return 0
  },
}

export const rollbackCommand: CliCommand = {
  name: 'rollback',
  summary: 'take a deployment back to an earlier application version',
  args: [{ name: '<deployment>', text: 'the deployment' }],
  options: [{ flags: '--to <version>', text: 'the version to go back to; without it the one before' }],
  examples: ['skerry rollback shop-rollout', 'skerry rollback shop-rollout --to 1'],
  run: async (input, context) => {
    const path = `/v1/state/application-deployments/${encodeURIComponent(textArgument(input, 0))}/rollback`
    const to = textOption(input, 'to')
    const view = await context
      .client()
      .ask<RollbackView>('POST', path, { body: { kind: 'json', value: to === undefined ? {} : { 'to-version': to } } })
    await context.result(
      view,
      `${view.deployment}: from version ${view['from-version']} back to ${view['to-version']}\n`,
    )
    return 0
  },
}
