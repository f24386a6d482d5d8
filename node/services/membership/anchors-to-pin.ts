import type { Book, OwnerId } from '../../../crdt/index.ts'

/** The scopes from below the root down to one. */
const wayTo = (scope: string): readonly string[] => {
  const parts = scope.split('/').slice(1)
  return parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`)
}

const ownersOnWay = (book: Book, scope: string): ReadonlyMap<string, OwnerId> =>
  new Map(
    wayTo(scope).flatMap((zone) => {
      const owner = book.trust() === undefined ? undefined : book.ownerAt(zone, 'zone')
      return owner === undefined ? [] : [[zone, owner.id] as const]
    }),
  )

/** Who was believed on the way down to a scope before an admission. */
export const ruledBefore = ownersOnWay

/**
 * Zones around a node that renew themselves and that it hears of for the first time: it believes them for good. Where
 * another owner was believed before nothing is pinned: whoever could grant that one could make this one.
 * @param before `ruledBefore` the admission that brought the records the book holds now
 */
export const anchorsToPin = (
  book: Book,
  scope: string,
  before: ReadonlyMap<string, OwnerId>,
): ReadonlyMap<string, OwnerId> =>
  new Map(
    [...ownersOnWay(book, scope)].filter(
      ([zone, id]) => book.owner(id)?.succession === 'own' && (before.get(zone) ?? id) === id,
    ),
  )
