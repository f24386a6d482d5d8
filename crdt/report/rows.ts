/** What a zone says of one version of one application: counts of instances, and no name of where they are. */
export interface RollUpRow {
  /** 32 hexadecimal digits. */
  readonly application: string
  /** The id of the deployment version, 64 hexadecimal digits; null for what no version stands for. */
  readonly version: string | null
  readonly wanted: number
  readonly running: number
  readonly ready: number
  readonly failing: number
  /** Of hosts whose last word is too old to be taken for how things are now. */
  readonly unknown: number
  /** Sites whose lanes disagree about the application. */
  readonly conflict: number
  /** How old the oldest report behind the counts was when the roll-up was signed, in ms; null when there is none. */
  readonly reportAgeMs: number | null
  /** For how long the first of them has been failing, in ms; null exactly when none is. */
  readonly failingMs: number | null
  readonly unknownMs: number | null
  readonly conflictMs: number | null
}

export const counted = ['wanted', 'running', 'ready', 'failing', 'unknown', 'conflict'] as const
/** Ages that are there exactly when there is something they are the age of. */
export const agesOf = { failing: 'failingMs', unknown: 'unknownMs', conflict: 'conflictMs' } as const

/** By application, then version; what has no version comes first. */
export const compareRows = (a: Pick<RollUpRow, 'application' | 'version'>, b: typeof a): number => {
  const [one, two] = [`${a.application}${a.version ?? ''}`, `${b.application}${b.version ?? ''}`]
  return one < two ? -1 : one > two ? 1 : 0
}

const older = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.max(a, b))

const add = (a: RollUpRow, b: RollUpRow): RollUpRow => ({
  application: a.application,
  version: a.version,
  wanted: a.wanted + b.wanted,
  running: a.running + b.running,
  ready: a.ready + b.ready,
  failing: a.failing + b.failing,
  unknown: a.unknown + b.unknown,
  conflict: a.conflict + b.conflict,
  reportAgeMs: older(a.reportAgeMs, b.reportAgeMs),
  failingMs: older(a.failingMs, b.failingMs),
  unknownMs: older(a.unknownMs, b.unknownMs),
  conflictMs: older(a.conflictMs, b.conflictMs),
})

/** The rows of several hosts, sites or zones as one: counts added, ages those of the oldest. Sorted; any order in. */
export const addRows = (rows: Iterable<RollUpRow>): readonly RollUpRow[] => {
  const sums = new Map<string, RollUpRow>()
  for (const row of rows) {
    const name = `${row.application}${row.version ?? ''}`
    const before = sums.get(name)
    sums.set(name, before === undefined ? row : add(before, row))
  }
  return [...sums.values()].toSorted(compareRows)
}

/** The rows of a child's roll-up as old as they are now. @param passedMs since it was received */
export const ageRows = (rows: readonly RollUpRow[], passedMs: number): readonly RollUpRow[] => {
  const aged = (ms: number | null) => (ms === null ? null : ms + Math.max(0, Math.round(passedMs)))
  return rows.map((row) => ({
    ...row,
    reportAgeMs: aged(row.reportAgeMs),
    failingMs: aged(row.failingMs),
    unknownMs: aged(row.unknownMs),
    conflictMs: aged(row.conflictMs),
  }))
}
