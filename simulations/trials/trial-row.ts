/** One property a trial holds the program to. */
export interface TrialRow {
  readonly what: string
  /** How often it was looked at. */
  readonly tried: number
  readonly broken: number
  readonly holds: boolean
  /** What the numbers do not say, like why nothing could be tried. */
  readonly why?: string
}

export interface TrialOptions {
  /** Kills, cuts or whatever the trial counts. */
  readonly rounds: number
  /** The same seed draws the same victims and moments; what the machine makes of them still varies. */
  readonly seed: number
  /** What runs containers, where a trial leaves the choice. @default real containers where this machine has an engine */
  readonly driver?: 'containerd' | 'process'
  /** Rows to leave out, for a run that has little time. @default none */
  readonly without?: readonly string[]
  /** A line about what is done now, for a person who waits. */
  readonly say: (line: string) => void
  /** Ends the trial early, with everything removed. */
  readonly signal: AbortSignal
}

export interface Trial {
  readonly name: string
  readonly summary: string
  readonly defaultRounds: number
  /** Why it cannot run on this machine, with that driver; undefined when it can. */
  cannotRun(driver?: TrialOptions['driver']): string | undefined
  run(options: TrialOptions): Promise<readonly TrialRow[]>
}
