import {
  type AuthorityPowers,
  fromHex,
  type KeyList,
  keyListKind,
  type Owner,
  ownerOf,
  readRecord,
  type SignedRecord,
  type Signer,
  sealRecord,
  toHex,
} from '../../../crdt/index.ts'
import type { ExpectedScope } from './expected.ts'
import type { ScopeRecord } from './member-records.ts'

/** The first key list of a zone that renews itself: its one key is the node's own, so the list follows from that alone. */
export const makeFirstList = (
  { network, scope, signer }: { readonly network: string; readonly scope: string; readonly signer: Signer },
  powers: AuthorityPowers,
): SignedRecord<KeyList> =>
  sealRecord(
    keyListKind,
    {
      network,
      owner: null,
      role: 'zone',
      scope,
      succession: 'own',
      generation: 1,
      previous: null,
      keys: [toHex(signer.publicKey)],
      threshold: 1,
    },
    [signer],
    powers,
  )

/**
 * Whether nobody above grants keys to a zone: it has an id of its own kind, or is a privacy zone that was granted none
 * before there were such ids.
 * @param owner what is believed of the owner its record names
 */
export const rulesItself = (
  zone: Pick<ScopeRecord, 'id'>,
  expected: ExpectedScope | undefined,
  owner: Owner | undefined,
): boolean => zone.id.length !== 32 || (expected?.isPrivacy === true && owner?.succession !== 'granted')

/** What a caller shows as the first list of its zone, and what its parent knows of that zone. */
export interface FirstListCall {
  readonly networkId: string
  readonly scope: string
  /** Whether the parent's topology calls it a privacy zone. */
  readonly isPrivacy: boolean
  /** The id the zone has here: 48 digits once it has an authority of its own. */
  readonly zoneId: string
  /** What is believed of the owner with that id. */
  readonly owner: Owner | undefined
  /** Ids that are closed for ever. */
  readonly retired: ReadonlySet<string>
  /** Of the admitted caller: 64 hexadecimal digits. */
  readonly key: string
  /** The list in hexadecimal; undefined where the caller shows none. */
  readonly shown: string | undefined
}

export type FirstListDecision =
  | { readonly kind: 'countersign'; readonly record: SignedRecord<KeyList>; readonly id: string }
  /** Nothing to do: none was shown, or it is the one the zone has. */
  | { readonly kind: 'known' }
  /** The zone has another authority: an operator may retire that. */
  | { readonly kind: 'rival'; readonly record: SignedRecord<KeyList>; readonly id: string }
  | { readonly kind: 'refuse'; readonly code: string; readonly message: string }

/** What is asked of a first list before a parent countersigns it. Tests leave one out to see what it stops. */
export const firstListGuards = ['privacy', 'granted', 'retired', 'once', 'scope', 'first', 'caller'] as const
export type FirstListGuard = (typeof firstListGuards)[number]

const refuse = (code: string, message: string): FirstListDecision => ({ kind: 'refuse', code, message })

/**
 * Decides what a parent does with the first list of a zone, shown by a caller it just admitted for that zone. The list's
 * own signatures are for the book to judge.
 */
export const judgeFirstList = (
  call: FirstListCall,
  powers: AuthorityPowers,
  guards: ReadonlySet<FirstListGuard> = new Set(firstListGuards),
): FirstListDecision => {
  const { scope, shown, zoneId, owner } = call
  const asks = (guard: FirstListGuard) => guards.has(guard)
  if (shown === undefined) return { kind: 'known' }
  const read = readRecord(keyListKind, fromHex(shown), powers)
  if (!read.ok) return refuse(read.refusal.code, `the list ${scope} shows: ${read.refusal.message}`)
  const { record } = read
  const { body } = record
  const id = ownerOf(record)
  if (zoneId === id) return { kind: 'known' }
  if (asks('privacy') && !call.isPrivacy)
    return refuse('not-a-privacy-zone', `${scope} is no privacy zone here: its parent grants its keys`)
  if (asks('retired') && call.retired.has(id))
    return refuse('retired', `the authority ${scope} shows was retired by an operator: it needs another one`)
  if (asks('scope') && (body.network !== call.networkId || body.scope !== scope || body.role !== 'zone'))
    return refuse('wrong-place', `the list ${scope} shows is of another network or scope`)
  if (asks('first') && (body.succession !== 'own' || body.generation !== 1))
    return refuse('broken-succession', `the list ${scope} shows is not a first one of its own`)
  if (asks('caller') && !body.keys.includes(call.key))
    return refuse('not-entitled', `the key of the caller is not on the list it shows for ${scope}`)
  const isGranted = zoneId.length === 32 && owner?.succession === 'granted'
  if ((asks('granted') && isGranted) || (asks('once') && zoneId.length !== 32)) return { kind: 'rival', record, id }
  return { kind: 'countersign', record, id }
}
