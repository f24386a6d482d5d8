import type { Clock } from '../../base/index.ts'
import type { Output } from './command.ts'

/** Without a terminal each line stays: so many milliseconds lie between two of them. */
const quietMs = 1_000
const columns = 79

/** Shows how far something is: each line in place of the last on a terminal, few and far between without one. */
export interface Progress {
  /** An empty line says that it is over; the last line is always shown. */
  show(line: string): void
}

export const createProgress = (output: Output, clock: Pick<Clock, 'monotonicMs'>): Progress => {
  let last = ''
  let open = false
  let shownAtMs = Number.NEGATIVE_INFINITY
  let held = ''
  const onTerminal = (line: string) => {
    // Carriage return and spaces, not escape codes: they work on every terminal.
    const text = line.slice(0, columns)
    void output.write(open ? `\r${' '.repeat(columns)}\r${text}` : text)
    open = line !== ''
  }
  const onPaper = (line: string) => {
    const nowMs = clock.monotonicMs()
    const due = line === '' ? held : nowMs - shownAtMs >= quietMs ? line : ''
    held = due === '' ? line : ''
    if (due === '') return
    shownAtMs = line === '' ? Number.NEGATIVE_INFINITY : nowMs
    void output.write(`${due}\n`)
  }
  return {
    show: (line) => {
      if (line === last) return
      last = line
      if (output.isTty) onTerminal(line)
      else onPaper(line)
    },
  }
}
