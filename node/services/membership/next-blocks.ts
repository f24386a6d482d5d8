import type { BlockList, KeyId, OwnerId, SignedRecord } from '../../../crdt/index.ts'

/** Keys, and ids of sites or of owners of zones. */
export interface BlockChange {
  readonly keys: readonly KeyId[]
  readonly sites: readonly string[]
}

/** What stands on a list for a site or a zone: 32 digits, of the id of a zone that renews itself the first. */
export const blockId = (id: string): string => id.slice(0, 32)

/** What one list may hold of each. */
export const maxBlocked = 800

/**
 * The next whole list of an issuer.
 * @param held its lists that count now, several where it signed different ones under one number
 * @param change.isAgain whether to sign it again though it says the same
 * @returns undefined when it would block nothing more or less; `list-full` when it would hold too much
 */
export const nextBlocks = (
  { network, issuer }: { readonly network: string; readonly issuer: OwnerId },
  held: readonly SignedRecord<BlockList>[],
  change: { readonly add?: BlockChange; readonly remove?: BlockChange; readonly isAgain?: boolean },
): Omit<BlockList, 'kind'> | 'list-full' | undefined => {
  const own = held.map(({ body }) => body).filter((body) => body.issuer === issuer)
  const after = (kind: 'keys' | 'sites') => {
    const now = new Set([...own.flatMap((body) => body[kind]), ...(change.add?.[kind] ?? [])])
    for (const one of change.remove?.[kind] ?? []) now.delete(one)
    return [...now].toSorted()
  }
  const [keys, sites] = [after('keys'), after('sites')]
  const only = own.length === 1 ? own[0] : undefined
  const isSame = keys.join() === (only?.keys ?? []).join() && sites.join() === (only?.sites ?? []).join()
  if (isSame && own.length <= 1 && change.isAgain !== true) return undefined
  if (keys.length > maxBlocked || sites.length > maxBlocked) return 'list-full'
  const tenants = [...new Set(own.flatMap((body) => body.tenants))].toSorted()
  const number = Math.max(0, ...own.map((body) => body.number)) + 1
  return { network, issuer, number, keys, sites, tenants }
}
