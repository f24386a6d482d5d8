import type { LaneName } from '../lane/index.ts'
import { concerns } from './lane-index.ts'
import type { LiveSession } from './session.ts'

/** Sessions by the scope of their peer: a hub with a thousand links asks for each change only those it is about. */
export interface SessionIndex {
  add(scope: string, session: LiveSession): void
  delete(scope: string, session: LiveSession): void
  /** Those there are now: some of them may end meanwhile. */
  all(): readonly LiveSession[]
  about(lane: LaneName): readonly LiveSession[]
}

export const createSessionIndex = (): SessionIndex => {
  const byScope = new Map<string, Set<LiveSession>>()
  const all = () => [...byScope.values()].flatMap((some) => [...some])
  return {
    add: (scope, session) => {
      const some = byScope.get(scope) ?? new Set()
      byScope.set(scope, some.add(session))
    },
    delete: (scope, session) => {
      const some = byScope.get(scope)
      some?.delete(session)
      if (some?.size === 0) byScope.delete(scope)
    },
    all,
    about: (lane) => {
      const found: LiveSession[] = []
      for (const [scope, some] of byScope) if (concerns(lane, scope)) found.push(...some)
      return found
    },
  }
}
