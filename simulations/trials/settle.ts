import { existsSync } from 'node:fs'
import { errorText, SkerryError } from '../../base/index.ts'
import { httpBody, pause } from '../demo/index.ts'
import { type HostReading, processRuns, shimSocket } from './host-reading.ts'
import { type Fault, judge } from './judge.ts'
import type { Scene } from './scene.ts'
import { type WantedInstance, wantedAt } from './workload.ts'

/** After a kill everything must be as wanted within this time, the backoff of its containers included. */
const settleTimeoutMs = 30_000
/** What is still waited for is said this often. */
const sayEveryMs = 5_000

const readPages = async (
  scene: Scene,
  wanted: readonly WantedInstance[],
  { ports }: HostReading,
): Promise<Record<string, string>> => {
  const pages: Record<string, string> = {}
  for (const { id, page } of wanted) {
    const port = ports.find(({ key }) => key === scene.networks[id]?.key)
    if (page !== undefined && port)
      pages[id] = await httpBody(port.hostPort).catch((error: unknown) => errorText(error))
  }
  return pages
}

/** How the host was found in the end. */
export interface Rest {
  readonly reading: HostReading
  readonly faults: readonly Fault[]
  readonly tookMs: number
}

/** Reads the host until nothing is wrong with it any more, or its time is over. */
export const settle = async (scene: Scene): Promise<Rest> => {
  const startedMs = performance.now()
  let last = 'the host was never read'
  let rest: Rest | undefined
  let saidAtMs = 0
  while (performance.now() - startedMs < settleTimeoutMs || !rest) {
    try {
      const wanted = wantedAt(scene.versions)
      const reading = await scene.readHost()
      for (const seen of reading.containers) scene.everSeen.set(seen.id, seen)
      const alive = new Set(reading.containers.map(({ id }) => id))
      const deadSockets = [...scene.everSeen]
        .filter(([id]) => !alive.has(id))
        .map(([id, { namespace }]) => shimSocket(scene.place, namespace, id))
        .filter((path) => existsSync(path))
      const pages = await readPages(scene, wanted, reading)
      const { networks } = scene
      const faults = judge({
        wanted,
        reading,
        edgeRuns: processRuns(scene.world.node('edge').pid),
        pages,
        networks,
        deadSockets,
      })
      rest = { reading, faults, tookMs: Math.round(performance.now() - startedMs) }
      if (faults.length === 0) return rest
      if (rest.tookMs > saidAtMs + sayEveryMs) {
        saidAtMs = rest.tookMs
        scene.options.say(`    after ${rest.tookMs} ms still: ${faults.map(({ text }) => text).join('; ')}`)
      }
    } catch (error) {
      last = errorText(error)
      if (performance.now() - startedMs > 2 * settleTimeoutMs)
        throw new SkerryError('timeout', `the host could not be read for ${(2 * settleTimeoutMs) / 1000} s: ${last}`)
    }
    await pause(200)
  }
  return rest
}
