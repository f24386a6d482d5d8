import type { AuthorityPowers } from '../authority/index.ts'
import type { BookRecord } from './book.ts'
import type { BookState, HeldCertificate, Kept } from './book-state.ts'
import { certificateNow } from './fold-grants.ts'

/** The scopes from the root down to one. */
const wayTo = (scope: string): ReadonlySet<string> => {
  const parts = scope.split('/').filter((part) => part !== '')
  return new Set(['/', ...parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`)])
}

/** What holds records back. Proofs leave one out to see what it stops. */
export const bookGuards = ['on-the-way'] as const
export type BookGuard = (typeof bookGuards)[number]

/**
 * What a member of a scope needs to judge what reaches it, in the order it was taken here: the root's versions; key lists
 * of the owners on the way down and of tenants at home there, the newest generation where they are granted and all where
 * they follow one another; those owners' block lists, and verdicts on them; delegations for scopes on the way or inside;
 * the beacon; and certificates of towers and aggregators on the way.
 */
export const recordsFor = (
  state: BookState,
  scope: string,
  powers: AuthorityPowers,
  guards: ReadonlySet<BookGuard> = new Set(bookGuards),
): readonly BookRecord[] => {
  const { trust } = state
  if (trust === undefined) return []
  const way = wayTo(scope)
  const isInside = (other: string) => way.has(other) || other.startsWith(scope === '/' ? '/' : `${scope}/`)
  const owners = new Map([...trust.owners].filter(([, owner]) => way.has(owner.scope)))
  const newest = new Set([...owners.values()].map(({ list }) => list))
  const lists = [...state.keyLists.values()].filter(({ id, record: { body } }) =>
    body.succession === 'own' ? way.has(body.scope) : newest.has(id),
  )
  const blockLists = [...state.blockLists].flatMap(([issuer, held]) =>
    issuer === '' || owners.has(issuer) ? held : [],
  )
  const found: readonly (Kept | HeldCertificate)[] = [
    ...state.roots,
    ...lists,
    ...blockLists,
    ...[...state.verdicts.values()].filter(({ record: { body } }) => owners.has(body.owner)),
    ...[...state.delegations.values()].filter(
      ({ record: { body } }) => owners.has(body.tenant) && isInside(body.scope),
    ),
    ...(state.beacon === undefined ? [] : [state.beacon.kept]),
    ...[...state.carriers.values()].filter(
      (held) => (way.has(held.scope) || !guards.has('on-the-way')) && certificateNow(held, state, powers) !== undefined,
    ),
  ]
  return found.toSorted((a, b) => a.taken - b.taken).map(({ kind, id, bytes }) => ({ kind, id, bytes }))
}
