import type { ContainerAct } from '../../world/index.ts'
import type { MakeChecker } from '../checker.ts'
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
  const started = new Map<string, Started>()
  /** Per host and application the place in the ledger's history that it has reached at least. */
  const reached = new Map<string, number>()
  const violations: string[] = []
  let seen = 0

  const start = (machine: string, { container, spec }: Extract<ContainerAct, { kind: 'start' }>) => {
    seen++
    const { owner, id } = container
    const content = contentOf(owner, spec.env.VERSION ?? '')
    started.set(`${machine} ${id}`, { atMs: world.nowMs(), content })
    const key = `${machine} ${owner.application}`
    const from = reached.get(key) ?? 0
    const asked = ledger.history(world.machine(machine).place.site ?? '', owner.application)
    const at = asked.findIndex(
      (versions, index) =>
        index >= from && [...versions].some((version) => version !== '' && contentOf(owner, version) === content),
    )
    reached.set(key, Math.max(from, at))
  }
  const remove = (machine: string, id: string) => {
    const found = started.get(`${machine} ${id}`)
    const { host, place } = world.machine(machine)
    const container = host?.containers().find((one) => one.id === id)
    if (!found || container?.state !== 'running') return
    const { owner } = container
    const asked = ledger
      .history(place.site ?? '', owner.application)
      .slice(reached.get(`${machine} ${owner.application}`) ?? 0)
      .flatMap((versions) => [...versions])
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
        if (act.kind === 'start') start(machine, act)
        else if (act.kind === 'remove') remove(machine, act.id)
      },
    },
    violations: () => violations,
    seen: () => seen,
  }
}
