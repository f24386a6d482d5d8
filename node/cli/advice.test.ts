import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { CommanderError } from 'commander'
import type { CliCommand } from './command.ts'
import { simulateCommand } from './commands/simulate.ts'
import { commands } from './commands.ts'
import { createProgram } from './program.ts'

const node = join(import.meta.dirname, '..')

const sources = readdirSync(node, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !/\.(test|contract)\.ts$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(node, path), 'utf8') }))

/** Messages as they come out: a template in a source shows only its parts. */
const golden = join(node, 'services', 'deployments', 'golden', 'explain')
const filled = readdirSync(golden).map((path) => ({ path, text: readFileSync(join(golden, path), 'utf8') }))

/** Files that advise a person. Elsewhere a command may stand bare in words that are not to be typed. */
const advising = /^(forwarding|config-services|images)\.ts$|^views\/|^services\/deployments\//

/** `up` and `down` as far as a message may name them; they are made with the powers of the machine. */
const machineCommands: readonly CliCommand[] = [
  ...['up', 'down'].map((name) => ({
    name,
    summary: name,
    args: name === 'up' ? [{ name: '[topology]', text: 'x' }] : [],
    options: ['--remove', '--keep-containers', '--runtime <x>', '--node <x>', '--via <x>'].map((flags) => ({
      flags,
      text: 'x',
    })),
    examples: [],
    run: async () => 0,
  })),
  simulateCommand({
    load: async () => ({ simulate: async () => 0 }),
    examplesDir: '',
    exampleNames: () => [],
    version: '0',
  }),
]

/** Splits as a shell does, as far as messages need it; what a template fills in stands for one word. */
const wordsOf = (line: string): string[] =>
  line
    .replaceAll(/\$\{[^}]*\}/g, 'x-1')
    .replaceAll(/'[^']*'/g, 'x')
    .split(/\s+/)
    .filter((word) => word !== '')

/** What the command line says of it; undefined when it takes it. */
const refusalOf = async (line: string): Promise<string | undefined> => {
  let error = ''
  const program = createProgram([...machineCommands, ...commands], {
    version: '0',
    run: async () => {},
    out: () => {},
    err: (text) => {
      error += text
    },
    color: false,
  })
  try {
    await program.parseAsync(wordsOf(line).slice(1), { from: 'user' })
    return undefined
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return undefined
    return error || String(thrown)
  }
}

/** Command lines in a source: in double quotes or backticks, as they stand in messages, help and examples. */
const quotedLines = (text: string): string[] => [
  ...[...text.matchAll(/"(skerry [^"\n]*)"/g)].map(([, line = '']) => line),
  ...[...text.matchAll(/'((?:cat \S+ \| )?skerry (?:[^'\n\\]|\\')*)'/g)].map(([, line = '']) => line),
]

/** A template may hold a choice, which is only words once it is filled. */
const isPlain = (line: string) => !/\$\{[^}]*$/.test(line) && !line.includes(' ? ')

test('every command named in a message, a help text or an example is one the command line takes', async (t) => {
  const refused: string[] = []
  let seen = 0
  for (const { path, text } of [...sources, ...filled])
    for (const line of quotedLines(text).filter(isPlain)) {
      // What a shell does around the command is not the command's.
      const typed = line.replace(/^cat \S+ \| /, '').replace(/ > \S+$/, '')
      seen += 1
      const refusal = await refusalOf(typed)
      if (refusal !== undefined) refused.push(`${path}: ${typed}: ${refusal}`)
    }
  t.deepEqual(refused, [])
  t.true(seen > 40, `${seen}`)
})

test('advice puts commands in quotes, so that one sees where they end', (t) => {
  const bare = sources
    .filter(({ path }) => advising.test(path))
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .filter((line) => /(?<!")skerry [a-z]/.test(line) && !/^\s*(\/?\*|\/\/)/.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    )
  t.deepEqual(bare, [])
})

test('a command that does not exist as written is found', async (t) => {
  t.regex((await refusalOf('skerry logs hello.web-1 server')) ?? '', /too many arguments/)
  t.regex((await refusalOf('skerry aply -f FILE')) ?? '', /unknown command/)
  t.regex((await refusalOf('skerry logs hello --instnce x')) ?? '', /unknown option/)
  t.is(await refusalOf('skerry logs hello --instance hello.web-1 --container server'), undefined)
})
