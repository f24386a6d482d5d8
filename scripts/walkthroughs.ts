/**
 * Reads the commands of a walkthrough and what they are to print. A fence ```sh holds commands, with a word after it
 * only for that runtime (`sh containerd`, `sh process`); the next fence ```text what they print on standard output,
 * errors included. `…` stands for anything within a line, alone on a line for any number of lines.
 */
export interface Step {
  /** Line of the first command in its file. */
  readonly line: number
  readonly commands: string
  readonly expected: string
}

type Fence = { readonly info: string; readonly line: number; readonly text: string }

const fencesOf = (markdown: string): readonly Fence[] => {
  const fences: Fence[] = []
  let open: { info: string; line: number; lines: string[] } | undefined
  for (const [at, line] of markdown.split('\n').entries()) {
    const mark = /^```(.*)$/.exec(line)
    if (open && mark) {
      fences.push({ info: open.info, line: open.line, text: open.lines.join('\n') })
      open = undefined
    } else if (open) open.lines.push(line)
    else if (mark) open = { info: mark[1] ?? '', line: at + 2, lines: [] }
  }
  return fences
}

/** The steps of a walkthrough for one runtime, in order. @throws when commands have no expected output after them. */
export const stepsOf = (markdown: string, runtime: string): readonly Step[] => {
  const fences = fencesOf(markdown)
  return fences.flatMap(({ info, line, text }, at): Step[] => {
    const [language, only] = info.split(' ')
    if (language !== 'sh') return []
    const after = fences[at + 1]
    if (after?.info !== 'text') throw new Error(`the commands at line ${line} have no \`\`\`text after them`)
    return only === undefined || only === runtime ? [{ line, commands: text, expected: after.text }] : []
  })
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Tables are as wide as what stands in them, so a run of spaces counts as one. */
const tidy = (text: string): readonly string[] =>
  text
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' ').trimEnd())

/** Whether the output is what the page says. */
export const matchesOutput = (expected: string, output: string): boolean => {
  const pattern = tidy(expected)
    .map((line) => (line.trim() === '…' ? '(?:.*\\n)*?' : `${line.split('…').map(escaped).join('.*')}\\n`))
    .join('')
  return new RegExp(`^${pattern}$`).test(`${tidy(output).join('\n')}\n`)
}
