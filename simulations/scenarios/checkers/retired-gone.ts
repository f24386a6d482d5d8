import type { MakeChecker } from '../checker.ts'
import { applications, deploymentOf } from '../specifications.ts'
import { readStateFile } from '../state-files.ts'

interface Accepted {
  readonly applications: readonly { readonly application: string; readonly phase?: string }[]
}

/** An engine that was told to start something may take so long to have done it, in milliseconds. */
const underWayMs = 2_000

/**
 * Nothing starts at a host whose own record of what it accepted does not name it: an application it knows to be retired,
 * or never heard of. Once all is healed, no engine has any container, running or not, of an application that is out
 * nowhere.
 */
export const retiredGone: MakeChecker = ({ world, ledger }) => {
  /** What a host accepted, and until when a start of something else was under way when it did. */
  const accepted = new Map<
    string,
    { readonly names: ReadonlySet<string>; readonly before: ReadonlySet<string>; readonly atMs: number }
  >()
  const violations: string[] = []
  let seen = 0
  return {
    invariant: 5,
    sentence: 'a retired application has no container',
    observer: {
      write: (machine, { name, bytes }) => {
        if (name !== 'state/accepted') return
        const wanted = (readStateFile<Accepted>(bytes)?.applications ?? []).filter(({ phase }) => phase !== 'retired')
        accepted.set(machine, {
          names: new Set(wanted.map(({ application }) => application)),
          before: accepted.get(machine)?.names ?? new Set(),
          atMs: world.nowMs(),
        })
      },
      act: (machine, act) => {
        if (act.kind !== 'start') return
        seen++
        const { application, instance, container } = act.container.owner
        const own = accepted.get(machine)
        if (own?.names.has(application)) return
        if (own?.before.has(application) && world.nowMs() < own.atMs + underWayMs) return
        violations.push(`${machine} started ${instance}/${container}; what it accepted does not have ${application}`)
      },
    },
    violations: () => violations,
    seen: () => seen,
    lacking: async () => {
      const left: string[] = []
      for (const application of applications) {
        for (const { place, host } of world.machines) {
          const wishes = ledger.candidatesAt(deploymentOf(application), place.site ?? '')
          if (wishes.some(({ version }) => version !== undefined)) continue
          for (const { owner, state } of host?.containers() ?? [])
            if (owner.application === application.name)
              left.push(`${place.name} has ${owner.instance}/${owner.container}, ${state}, of a retired application`)
        }
      }
      return left
    },
  }
}
