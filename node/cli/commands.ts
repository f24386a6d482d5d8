import type { CliCommand } from './command.ts'
import { applyCommand } from './commands/apply.ts'
import { deleteCommand, getCommand, rollbackCommand } from './commands/config.ts'
import { conflictsCommand } from './commands/conflicts.ts'
import { diffCommand } from './commands/diff.ts'
import { execCommand } from './commands/exec.ts'
import { explainCommand } from './commands/explain.ts'
import { hostsCommand } from './commands/hosts.ts'
import { imagesCommand } from './commands/images.ts'
import { logsCommand } from './commands/logs.ts'
import { nodesCommand, sitesCommand, treeCommand } from './commands/places.ts'
import { statusCommand } from './commands/status.ts'
import { zonesCommand } from './commands/zones.ts'

/** The commands that need nothing but a node's API, in the order the help shows them. */
export const commands: readonly CliCommand[] = [
  applyCommand,
  statusCommand,
  explainCommand,
  logsCommand,
  execCommand,
  rollbackCommand,
  conflictsCommand,
  treeCommand,
  sitesCommand,
  nodesCommand,
  hostsCommand,
  diffCommand,
  zonesCommand,
  imagesCommand,
  getCommand,
  deleteCommand,
]
