import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SkerryError } from '../../base/index.ts'
import type { Bench } from './bench-row.ts'
import { enrolment } from './enrol.ts'
import { epochs } from './epochs.ts'
import { besideEtcd } from './etcd.ts'
import { hasProc } from './process-cost.ts'
import { reconnect } from './reconnect.ts'
import { towerCost } from './tower-cost.ts'

const project = join(import.meta.dirname, '..', '..')

const cannotRun = (): string | undefined => {
  if (!hasProc()) return 'what a process costs is read from /proc, which only Linux has'
  return existsSync(join(project, 'dist', 'skerry-node.mjs')) ? undefined : 'the bundle is not built: npm run build'
}

/** What signed documents cost a tower of ten thousand sites, an aggregator that comes back, and a parent that enrols. */
export const crdtBench: Bench = {
  name: 'crdt',
  summary:
    'a tower of 10,000 sites beside etcd, an aggregator that meets its peer again, hosts that enrol, a lane of 100,000 changes',
  run: async (options) => {
    const why = cannotRun()
    if (why !== undefined) throw new SkerryError('cannot-run', `the benchmark crdt cannot run here: ${why}`)
    const dir = join(project, '.skerry', `bench-${process.pid}`)
    try {
      const meeting = await reconnect(join(dir, 'reconnect'), options)
      const enrolled = await enrolment(join(dir, 'enrol'), options)
      const tower = await towerCost(join(dir, 'tower'), options)
      const etcd = await besideEtcd(join(dir, 'etcd'), tower, options)
      const sealed = await epochs(join(dir, 'epochs'), options)
      return [...tower.rows, ...meeting, ...enrolled, ...sealed, ...etcd]
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  },
}
