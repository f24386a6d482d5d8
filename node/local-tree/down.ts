import { SkerryError } from '../../base/index.ts'
import type { CliCommand, CliContext, CommandInput } from '../cli/index.ts'
import { homeFile, removeHome } from './home.ts'
import { runningNode, stopNode } from './node-processes.ts'
import type { NodeLayout } from './tree-layout.ts'

export interface DownPowers {
  /** Ends the containers of an edge and what runs them; with `remove` also its images, logs and volumes. */
  readonly endHost: (node: NodeLayout, options: { remove: boolean }) => Promise<void>
}

const run = async (input: CommandInput, context: CliContext, powers: DownPowers): Promise<number> => {
  const remove = input.options.remove === true
  const keep = input.options.keepContainers === true
  if (remove && keep)
    throw new SkerryError('invalid-option', '--remove and --keep-containers exclude each other: leave one out')
  const record = homeFile(context.home).load()
  if (!record) {
    await context.result({ home: context.home, stopped: [] }, `nothing to stop: ${context.home} holds no tree\n`)
    return 0
  }
  const stopped: string[] = []
  // Children first, so that no edge sees its parent go and logs it.
  for (const node of record.nodes.toReversed()) {
    if (runningNode(node)) context.progress(`stopping ${node.role} ${node.name}`)
    if (await stopNode(node, context.clock)) stopped.push(node.name)
    if (node.role === 'edge' && !keep) await powers.endHost(node, { remove })
  }
  context.progress('')
  const left = record.nodes.filter((node) => runningNode(node) !== undefined)
  if (left.length > 0)
    throw new SkerryError('still-running', `${left.map(({ name }) => name).join(', ')} did not end; see their logs`)
  if (remove) removeHome(context.home, record)
  const what = keep ? 'containers run on' : remove ? 'containers and data removed' : 'containers stopped, data kept'
  await context.result({ home: context.home, stopped, remove }, `stopped ${stopped.join(', ') || 'nothing'}: ${what}\n`)
  return 0
}

/** `skerry down`: ends what `up` started. */
export const downCommand = (powers: DownPowers): CliCommand => ({
  name: 'down',
  summary: 'stop the tree that "skerry up" started on this machine',
  options: [
    { flags: '--remove', text: 'also delete its data: configuration, images, logs' },
    { flags: '--keep-containers', text: 'stop only the node programs; containers run on' },
  ],
  examples: ['skerry down', 'skerry down --remove', 'skerry down --keep-containers'],
  run: (input, context) => run(input, context, powers),
})
