import { ownerOf } from '../authority/index.ts'
import type { BookKind, BookRecord } from './book.ts'
import type { SignedBookRecord } from './book-record.ts'
import type { BookState, FoldContext, HeldCertificate, Kept } from './book-state.ts'
import { foldCertificate, foldDelegation, foldVersion } from './fold-grants.ts'
import { foldBeacon, foldBlockList, foldKeyList, foldRoot, foldVerdict } from './fold-owners.ts'
import type { Folded } from './folded.ts'

type Record = SignedBookRecord

/** What one record comes to, as the book stands. */
const foldOne = (state: BookState, one: Record, context: FoldContext): Folded => {
  switch (one.kind) {
    case 'root':
      return foldRoot(state, one.record, context)
    case 'key-list':
      return foldKeyList(state, one.record, context)
    case 'block-list':
      return foldBlockList(state, one.record, context)
    case 'verdict':
      return foldVerdict(state, one.record, context)
    case 'delegation':
      return foldDelegation(state, one.record, context)
    case 'certificate':
      return foldCertificate(state, one.record, context)
    case 'deployment-version':
      return foldVersion(state, one.record, context)
    case 'beacon':
      return foldBeacon(state, one.record, context)
  }
}

const stages: readonly BookKind[] = [
  'root',
  'block-list',
  'verdict',
  'key-list',
  'delegation',
  'certificate',
  'deployment-version',
  'beacon',
]

const rank = (one: Record): readonly (number | string)[] => {
  const { record } = one
  switch (one.kind) {
    case 'root':
      return [one.record.body.number]
    case 'key-list': {
      // Outer scopes before inner, zones before the tenants at home in them, older generations before newer.
      const { scope, role, generation } = one.record.body
      return [scope.length, Number(role === 'tenant'), generation]
    }
    case 'block-list':
    case 'delegation':
    case 'certificate':
      return [-one.record.body.number]
    case 'deployment-version':
      return [-one.record.body.order]
    case 'beacon':
      return [-one.record.body.counter]
    case 'verdict':
      return [record.id]
  }
}

const compare = (a: number | string, b: number | string): number => (a < b ? -1 : a > b ? 1 : 0)

/** One order for a lot, whatever order it came in: what others need first, what replaces others before those. */
const inOrder = (a: Item, b: Item): number => {
  const stage = stages.indexOf(a.one.kind) - stages.indexOf(b.one.kind)
  if (stage !== 0) return stage
  const [ranksA, ranksB] = [rank(a.one), rank(b.one)]
  const differing = ranksA.findIndex((value, at) => value !== ranksB[at])
  if (differing >= 0) return compare(ranksA[differing] ?? 0, ranksB[differing] ?? 0)
  return compare(a.one.record.id, b.one.record.id) || Buffer.compare(a.one.record.bytes, b.one.record.bytes)
}

interface Item {
  readonly at: number
  readonly one: Record
}

/** What narrows an owner as soon as it is there: before it can grant anything to those inside. */
const narrows = ({ one }: Item, owner: string | null): boolean =>
  (one.kind === 'block-list' && one.record.body.issuer === owner) ||
  (one.kind === 'verdict' && one.record.body.owner === owner)

export interface FoldedLot {
  /** In the order of the lot. */
  readonly results: readonly Folded[]
  /** What to write, and what to delete. */
  readonly kept: readonly (Kept | HeldCertificate)[]
  readonly dropped: readonly BookRecord[]
}

/** Folds a lot into a draft. Records that need one another may come in any order: what is refused is tried again until nothing moves. */
export const foldLot = (state: BookState, lot: readonly Record[], context: FoldContext): FoldedLot => {
  const results: Folded[] = []
  const kept = new Map<string, Kept | HeldCertificate>()
  const dropped = new Map<string, BookRecord>()
  const keyOf = ({ kind, id }: BookRecord) => `${kind}/${id}`
  const open = new Set<Item>(lot.map((one, at) => ({ at, one })).toSorted(inOrder))

  const settle = (item: Item): boolean => {
    const folded = foldOne(state, item.one, context)
    results[item.at] = folded
    if (!folded.ok) return false
    open.delete(item)
    for (const one of folded.drops) {
      // What the same lot brought and replaced was never written.
      if (!kept.delete(keyOf(one))) dropped.set(keyOf(one), one)
    }
    if (folded.kept !== undefined) {
      kept.set(keyOf(folded.kept), folded.kept)
      dropped.delete(keyOf(folded.kept))
    }
    return folded.kept !== undefined
  }

  const narrowing = new Set([...open].filter(({ one }) => one.kind === 'block-list' || one.kind === 'verdict'))
  const narrow = (owner: string | null) => {
    for (const item of [...narrowing].filter((other) => open.has(other) && narrows(other, owner))) settle(item)
  }

  for (let moved = true; moved && open.size > 0; ) {
    moved = false
    for (const item of open) {
      if (!settle(item)) continue
      moved = true
      if (item.one.kind === 'root') narrow(null)
      if (item.one.kind === 'key-list') narrow(ownerOf(item.one.record))
    }
  }
  return { results, kept: [...kept.values()], dropped: [...dropped.values()] }
}
