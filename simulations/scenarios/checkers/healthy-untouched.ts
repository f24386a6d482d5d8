import type { ContainerAct } from '../../world/index.ts'
import type { MakeChecker } from '../checker.ts'
import { contentOf } from '../specifications.ts'

interface Started {
  readonly atMs: number
  readonly application: string
  /** What makes the container what it is: the version, or a constant where versions do not change it. */
  readonly content: string
}

/**
 * Judges every removal of a container that runs: since it was started, its site must have been told, or be about to be
 * told, something else than what it is.
 */
export const healthyUntouched: MakeChecker = ({ world, ledger }) => {
  const started = new Map<string, Started>()
  const violations: string[] = []
  let seen = 0

  const judge = (machine: string, id: string) => {
    const found = started.get(`${machine} ${id}`)
    const { host, place } = world.machine(machine)
    const container = host?.containers().find((one) => one.id === id)
    if (!found || container?.state !== 'running') return
    const told = ledger.toldBetween(place.site ?? '', found.application, found.atMs, world.nowMs())
    const contents = new Set([...told].map((version) => (version === '' ? '' : contentOf(container.owner, version))))
    if (contents.size > 1 || !contents.has(found.content)) return
    violations.push(
      `${machine} removed ${container.owner.instance}/${container.owner.container}, healthy and wanted as it was since ${(found.atMs / 1000).toFixed(3)} s`,
    )
  }
  const act = (machine: string, act: ContainerAct) => {
    if (act.kind === 'remove') judge(machine, act.id)
    if (act.kind !== 'start') return
    seen++
    const { id, owner } = act.container
    const content = contentOf(owner, act.spec.env.VERSION ?? '')
    started.set(`${machine} ${id}`, { atMs: world.nowMs(), application: owner.application, content })
  }

  return {
    invariant: 4,
    sentence: 'a healthy container whose revision is still wanted is never stopped or restarted',
    observer: { act },
    violations: () => violations,
    seen: () => seen,
  }
}
