import type { MakeChecker } from '../checker.ts'
import { createSiteProgress } from '../site-progress.ts'
import { contentOf } from '../specifications.ts'

/** What makes a container what it is: the version of its application, or a constant where versions do not change it. */
interface Started {
  readonly atMs: number
  readonly content: string
}

/**
 * Judges every removal of a container that runs: its site must have been asked, after what it was started for, for
 * something else than what it is. A site may be behind; how far it has come at least is seen from what it starts.
 */
export const healthyUntouched: MakeChecker = ({ world, ledger }) => {
  const progress = createSiteProgress({ world, ledger })
  const started = new Map<string, Started>()
  const violations: string[] = []
  let seen = 0

  const remove = (machine: string, id: string) => {
    const found = started.get(`${machine} ${id}`)
    const container = world
      .machine(machine)
      .host?.containers()
      .find((one) => one.id === id)
    if (!found || container?.state !== 'running') return
    // What hangs or refuses is not well: its probes say so.
    if (world.machine(machine).engine?.isIll(id)) return
    const { owner } = container
    const asked = progress.askedSince(machine, owner.application)
    if (asked.some((version) => version === '' || contentOf(owner, version) !== found.content)) return
    const since = (found.atMs / 1000).toFixed(3)
    violations.push(
      `${machine} removed ${owner.instance}/${owner.container}, healthy and wanted as it was since ${since} s`,
    )
  }

  return {
    invariant: 4,
    sentence: 'a healthy container whose revision is still wanted is never stopped or restarted',
    observer: {
      act: (machine, act) => {
        if (act.kind === 'remove') return remove(machine, act.id)
        if (act.kind !== 'start') return
        seen++
        const { content } = progress.start(machine, act)
        started.set(`${machine} ${act.container.id}`, { atMs: world.nowMs(), content })
      },
    },
    violations: () => violations,
    seen: () => seen,
  }
}
