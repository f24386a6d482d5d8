/** One change the operator asked the tower for, with every version it may come to. */
export interface AskedVersion {
  readonly versions: ReadonlySet<string>
  readonly outcome: 'asked' | 'done' | 'refused' | 'unknown'
}

/** What was asked of the one application, oldest first. */
export interface VersionLedger {
  /** @returns the place of the change */
  ask(versions: ReadonlySet<string>): number
  answer(at: number, outcome: AskedVersion['outcome'], version?: string): void
  history(): readonly AskedVersion[]
  /** Versions that may be in force: the last that was done, and what was asked after it. */
  candidates(): ReadonlySet<string>
}

export const createVersionLedger = (): VersionLedger => {
  const history: AskedVersion[] = []
  return {
    ask: (versions) => history.push({ versions, outcome: 'asked' }) - 1,
    answer: (at, outcome, version) => {
      const asked = history[at]
      if (asked?.outcome === 'asked')
        history[at] = { versions: version === undefined ? asked.versions : new Set([version]), outcome }
    },
    history: () => history,
    candidates: () => {
      const last = history.findLastIndex(({ outcome }) => outcome === 'done')
      const standing = history.slice(Math.max(0, last)).filter(({ outcome }) => outcome !== 'refused')
      return new Set(standing.flatMap(({ versions }) => [...versions]))
    },
  }
}
