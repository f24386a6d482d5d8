import { replicationGuards, sealGuards } from '../../../crdt/index.ts'
import type { NodeGuards } from '../../../node/index.ts'
import type { Doctor } from '../guard.ts'

/** Hands every node of a world these guards. */
export const withGuards =
  (guards: NodeGuards): Doctor =>
  (_machine, powers) => ({ ...powers, guards })

/** All names of a list but one. */
export const allBut = <Name extends string>(names: readonly Name[], out: NoInfer<Name>): ReadonlySet<Name> =>
  new Set(names.filter((name) => name !== out))

/** Answers yes, or no, to one question of replication. */
export const replicationSays = (name: keyof typeof replicationGuards, answer: boolean): Doctor =>
  withGuards({ replication: { ...replicationGuards, [name]: () => answer } })

/** Answers yes to one question about seals. */
export const sealingSays = (name: keyof typeof sealGuards): Doctor =>
  withGuards({ sealing: { ...sealGuards, [name]: () => true } })
