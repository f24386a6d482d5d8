/** One test as the runner reported it. */
export interface TestResult {
  readonly title: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** What was logged and, for a failure, what differed. */
  readonly lines: readonly string[]
}

const resultPattern = /^(not )?ok \d+ - (.*?)(?: # (SKIP|TODO)\b.*)?$/

/**
 * Reads TAP version 13 as ava prints it, line by line. A result is handed on when the next one begins, because what
 * belongs to it comes after it; `end` hands on the last.
 */
export const createTapReader = (onResult: (result: TestResult) => void) => {
  let last: { title: string; outcome: TestResult['outcome']; lines: string[] } | undefined
  const end = () => {
    if (last) onResult(last)
    last = undefined
  }
  const line = (text: string) => {
    const parts = resultPattern.exec(text)
    if (parts) {
      end()
      const outcome = parts[3] ? 'skipped' : parts[1] ? 'failed' : 'passed'
      last = { title: parts[2] ?? '', outcome, lines: [] }
    } else if (/^1\.\.\d+$/.test(text)) end()
    else if (last && text.trim() !== '' && !/^ {2}(---|\.\.\.)$/.test(text))
      last.lines.push(text.replace(/^#? {0,2}/, ''))
  }
  return { line, end }
}

/** Suite, adapter and sentence of a title like `mesh › contract mesh · local · both ends learn the name`. */
const contractPattern = /(?:^|› )contract ([^·]+) · ([^·]+) · /

/** Lines of the table suite × adapter × passed; `failed` and `skipped` are named where there are any. */
export const contractTable = (results: readonly TestResult[]): string[] => {
  const rows = new Map<string, { suite: string; adapter: string; passed: number; failed: number; skipped: number }>()
  for (const { title, outcome } of results) {
    const [, suite, adapter] = contractPattern.exec(title) ?? []
    if (suite === undefined || adapter === undefined) continue
    const row = rows.get(`${suite}\0${adapter}`) ?? { suite, adapter, passed: 0, failed: 0, skipped: 0 }
    row[outcome]++
    rows.set(`${suite}\0${adapter}`, row)
  }
  if (rows.size === 0) return []
  const cells = [...rows.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { suite, adapter, passed, failed, skipped }]) => {
      const rest = [failed > 0 ? `${failed} failed` : '', skipped > 0 ? `${skipped} skipped` : ''].filter(Boolean)
      return [suite, adapter, [`${passed} of ${passed + failed + skipped}`, ...rest].join(', ')] as const
    })
  const all = [['suite', 'adapter', 'passed'] as const, ...cells]
  const widths = [0, 1].map((column) => Math.max(...all.map((row) => row[column as 0 | 1].length)))
  return all.map(
    ([suite, adapter, passed]) => `${suite.padEnd(widths[0] ?? 0)}  ${adapter.padEnd(widths[1] ?? 0)}  ${passed}`,
  )
}

/** The last line of `npm test`. */
export const summaryLine = (results: readonly Pick<TestResult, 'outcome'>[]): string => {
  const count = (outcome: TestResult['outcome']) => results.filter((result) => result.outcome === outcome).length
  return `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`
}
