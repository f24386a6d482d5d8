import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SkerryError } from '../../base/index.ts'
import type { Bench } from './bench-row.ts'
import { edgeCost } from './edge-cost.ts'
import { inPath } from './peer.ts'
import { startRaces } from './start-race.ts'

const project = join(import.meta.dirname, '..', '..')

const cannotRun = (): string | undefined => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'real containers need Linux and root'
  const missing = ['containerd', 'ctr', 'runc'].find((program) => !inPath(program))
  if (missing !== undefined) return `${missing} is not in PATH`
  return existsSync(join(project, 'dist', 'skerry.mjs')) ? undefined : 'the bundle is not built: npm run build'
}

/** What one host costs: starting containers, memory at rest, time until it is ready. */
export const runtimeBench: Bench = {
  name: 'runtime',
  summary: 'starting containers beside ctr and podman, memory of an idle edge, time until it is ready',
  run: async (options) => {
    const why = cannotRun()
    if (why !== undefined) throw new SkerryError('cannot-run', `the benchmark runtime cannot run here: ${why}`)
    const dir = join(project, '.skerry', `bench-${process.pid}`)
    try {
      const races = await startRaces(dir, options)
      return [...races, ...(await edgeCost(dir, options))]
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  },
}
