import { SkerryError } from '../base/index.ts'
import { createNetProbes, type Histories } from '../runtime/index.ts'
import type { NodeConfig } from './config.ts'
import { createEdgeHost, type EdgeHost } from './edge-host.ts'
import type { NodePowers } from './node.ts'

export interface OpenedEdge {
  readonly edge: EdgeHost
  /** From here on archives that are not held are fetched so. */
  fetchBy(fetch: (archive: string, signal?: AbortSignal) => Promise<void>): void
}

/** Starts the containers of a host from its own disk, before anything else is opened. Undefined for a node that is none. */
export const openEdge = async (config: NodeConfig, powers: NodePowers): Promise<OpenedEdge | undefined> => {
  const { containers, blobs, stateFile, hash, clock, log } = powers
  if (containers === undefined) return undefined
  let fetchArchive = async (archive: string, _signal?: AbortSignal): Promise<void> => {
    throw new SkerryError('parent-unreachable', `${archive} cannot be fetched before this node has joined`)
  }
  const edge = createEdgeHost({
    name: config.name,
    site: config.site,
    host: config.name,
    portRange: config.portRange,
    containers,
    archives: blobs,
    // Others may need from it what they cannot have from their parent.
    keepsArchives: config.meshListen.length > 0,
    acceptedFile: stateFile('accepted'),
    historiesFile: stateFile<Histories>('histories'),
    previousImagesFile: stateFile('previous-images'),
    hash,
    clock,
    log,
    fetchArchive: (archive, signal) => fetchArchive(archive, signal),
    probes: powers.probes ?? createNetProbes(),
    guards: powers.guards,
  })
  await edge.start()
  return {
    edge,
    fetchBy: (fetch) => {
      fetchArchive = fetch
    },
  }
}
