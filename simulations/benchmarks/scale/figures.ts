/** Processor time of the processes of a role, in seconds. */
export interface CpuByRole {
  readonly tower: number
  readonly aggregators: number
  readonly edges: number
}

/** Milliseconds until so many in a hundred. */
export interface Reached {
  readonly half: number
  readonly most: number
  readonly all: number
}

/** What one run measured. Memory in MB of 1,000,000 bytes. */
export interface ScaleFigures {
  /** Processors of the machine. */
  readonly processors: number
  readonly sites: number
  readonly aggregators: number
  readonly edgeProcesses: number
  readonly enrol: { readonly seconds: number; readonly cpu: CpuByRole }
  readonly deploy: { readonly accepted: Reached; readonly running: Reached; readonly cpu: CpuByRole }
  readonly idle: {
    readonly seconds: number
    readonly edgeBytes: number
    /** Between aggregators and tower; null where `ss` cannot tell. */
    readonly upBytes: number | null
    readonly cpu: CpuByRole
  }
  readonly storm: {
    readonly sites: number
    readonly seconds: number
    readonly unlinked: Readonly<Record<string, number>>
  }
  readonly memory: {
    readonly towerBase: number
    readonly towerRest: number
    readonly towerPeak: number
    readonly aggregatorBase: number
    /** Of the mean aggregator. */
    readonly aggregatorRest: number
    readonly edgesBase: number
    /** Of the mean process of edges. */
    readonly edgesRest: number
  }
}

/** The moment by which a share of all was reached. @param atMs in order @throws {RangeError} of none */
export const reachedAt = (atMs: readonly number[], share: number): number => {
  const found = atMs[Math.max(0, Math.ceil(atMs.length * share) - 1)]
  if (found === undefined) throw new RangeError('nothing was reached')
  return found
}
