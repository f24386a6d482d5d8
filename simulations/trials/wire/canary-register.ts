import type { Random, ScopePath } from '../../../base/index.ts'
import { type PolicyKind, type PolicyLevel, parentOf, type Topology, visibleTo } from '../../../topologies/index.ts'
import { drawWord } from './needles.ts'

/** Something planted that is unique in the world. */
export interface Canary {
  readonly kind: PolicyKind
  /** The zone or site whose it is. */
  readonly scope: ScopePath
  /** What it stands for, in words, like `label of a site`. */
  readonly what: string
  /** Also known one step above, whatever the policy: a parent enrols the hosts of a zone by name. */
  readonly knownToParent?: boolean
}

export interface CanaryRegister {
  /** @returns the word to plant */
  plant(canary: Canary): string
  /** Makes a key or an id that exists already a canary. */
  name(needle: string, canary: Canary): void
  /** Takes back what was not planted after all. */
  forget(needles: readonly string[]): void
  all(): readonly (readonly [string, Canary])[]
}

export const createCanaryRegister = (random: Random): CanaryRegister => {
  const known = new Map<string, Canary>()
  return {
    plant: (canary) => {
      const word = drawWord(random)
      known.set(word, canary)
      return word
    },
    name: (needle, canary) => void known.set(needle, canary),
    forget: (needles) => {
      for (const needle of needles) known.delete(needle)
    },
    all: () => [...known],
  }
}

export const isWithin = (scope: string, above: string): boolean =>
  scope === above || scope.startsWith(above === '/' ? '/' : `${above}/`)

/** `own`: it is the reader's or comes from above the reader; `stranger`: neither is above the other. */
export type Right = PolicyLevel | 'own' | 'stranger'

/** What the policies say of a canary at a reader: only `own` and `all` may be there. */
export const rightOf = (topology: Topology, canary: Canary, reader: ScopePath): Right => {
  if (isWithin(reader, canary.scope)) return 'own'
  if (!isWithin(canary.scope, reader)) return 'stranger'
  if (canary.knownToParent && parentOf(canary.scope) === reader) return 'own'
  return visibleTo(topology, canary.scope, reader, canary.kind)
}
