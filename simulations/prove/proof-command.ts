import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { prove } from './prove.ts'

export const proofUsage = `  --prove          takes out each guard of a node in turn: a checker must find what then goes wrong
  --guards A,B     with --prove, these alone
`

type Say = (line: string) => void

/** @throws {Error} as `parseArgs`, and where a guard has no such name */
const runProve = (args: readonly string[], say: Say): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      prove: { type: 'boolean' },
      guards: { type: 'string' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean', default: false },
      // Of one of several processes: each guard is answered by a line of JSON.
      part: { type: 'boolean', default: false },
    },
  })
  if (!/^[1-9]\d?$/.test(values.jobs)) throw new Error(`--jobs ${values.jobs}: give a whole number from 1 to 99`)
  return prove({
    json: values.json,
    jobs: Number(values.jobs),
    only: values.guards?.split(','),
    isPart: values.part,
    say,
  })
}

/** What this folder does for `npm run simulate`; undefined where something else was asked for. @param say to a person */
export const proofCommand = (args: readonly string[], say: Say): (() => Promise<number>) | undefined =>
  args.includes('--prove') ? () => runProve(args, say) : undefined
