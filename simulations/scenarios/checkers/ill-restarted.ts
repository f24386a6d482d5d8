import type { MakeChecker } from '../checker.ts'

/** A container that hangs or refuses is ended by the node that asks it, because its probe says so: else nobody asked. */
export const illRestarted: MakeChecker = () => {
  const probed = new Set<string>()
  let seen = 0
  return {
    invariant: 4,
    sentence: 'a container that does not answer its liveness probe is started again',
    observer: {
      log: (machine, { part, message }) => {
        const [, what] = /^remove (\S+): not healthy: liveness/.exec(message) ?? []
        if (part === 'node.reconciler' && what !== undefined) probed.add(`${machine} ${what}`)
      },
      act: (machine, act) => {
        if (act.kind !== 'start') return
        const { instance, container } = act.container.owner
        if (probed.delete(`${machine} ${instance}/${container}`)) seen++
      },
    },
    violations: () => [],
    seen: () => seen,
    needsHarm: true,
  }
}
