import { parseScopePath, SkerryError } from '../../../base/index.ts'
import {
  countersign,
  fromHex,
  type KeyList,
  keyListKind,
  type Owner,
  ownerOf,
  readRecord,
  type SignedRecord,
  sealRecord,
  signersOf,
  toHex,
} from '../../../crdt/index.ts'
import { readListedScope } from './member-lanes.ts'
import type { ZoneDesk } from './zone-desk.ts'

/** Raw public keys that come and go; what is not given stays. */
export interface ListChange {
  readonly add: readonly string[]
  readonly remove: readonly string[]
  readonly threshold?: number
}

/** What became of a change: in force, or a draft that other keys of the zone have to sign, in hexadecimal. */
export type Renewed =
  | { readonly kind: 'made'; readonly generation: number }
  | { readonly kind: 'draft'; readonly draft: string; readonly signed: number; readonly needed: number }

/** Keys of one list. */
const mostKeys = 64

/** The next list of a zone that renews itself, or why there is none, in words. */
export const nextOwnList = (
  network: string,
  held: Owner,
  { add, remove, threshold = held.threshold }: ListChange,
): Omit<KeyList, 'kind'> | string => {
  const now = [...held.keys.values()].map(toHex).toSorted()
  const keys = [...new Set([...now, ...add])].filter((key) => !remove.includes(key)).toSorted()
  if (keys.join() === now.join() && threshold === held.threshold) return 'that changes nothing'
  if (keys.length === 0) return 'a zone without a key could never change again: leave one'
  if (keys.length > mostKeys) return `a list holds ${mostKeys} keys`
  if (threshold < 1 || threshold > keys.length) return `of ${keys.length} keys at least 1 and at most all have to sign`
  return {
    network,
    owner: held.id,
    role: 'zone',
    scope: held.scope,
    succession: 'own',
    generation: held.generation + 1,
    previous: held.list,
    keys,
    threshold,
  }
}

/** Why a draft does not follow the list that holds, in words; undefined where it does. */
export const draftProblem = (draft: SignedRecord<KeyList>, held: Owner): string | undefined => {
  const { body } = draft
  if (ownerOf(draft) !== held.id || body.scope !== held.scope) return `it is of another zone than ${held.scope}`
  return body.generation !== held.generation + 1 || body.previous !== held.list
    ? `it does not follow generation ${held.generation}, which holds now: make it anew`
    : undefined
}

/** @throws {SkerryError} `granted`, `not-enrolled` */
const heldOrRefuse = ({ options: { book, self } }: ZoneDesk): Owner => {
  const { scope, name } = self
  const held = book.trust() === undefined ? undefined : book.ownerAt(scope, 'zone')
  if (held === undefined) throw new SkerryError('not-enrolled', `${name} is no member of the network yet`)
  if (held.succession !== 'own')
    throw new SkerryError('granted', `the keys of ${scope} are granted by the zone above: it changes them`)
  if (!held.keys.has(self.signer.keyId))
    throw new SkerryError('not-entitled', `the key of ${name} is not on the list of ${scope}: ask a node whose key is`)
  if (held.generation === 1 && !held.isCountersigned)
    throw new SkerryError('not-enrolled', `the first list of ${scope} waits for the zone above`)
  return held
}

/** Aggregators of this node's zone, as its parent enrolled them. */
export const enrolledHere = async ({
  options: { documents, self },
}: ZoneDesk): Promise<readonly { readonly host: string; readonly key: string }[]> => {
  const lane = documents.idOf({ kind: 'zone', scope: parseScopePath(self.scope), side: 'parent' })
  if (lane === undefined) return []
  const { hosts } = readListedScope(await documents.standing(lane))
  return hosts.flatMap(({ name, key, isGone }) => (key === null || isGone ? [] : [{ host: name, key }]))
}

/** Digits of a fingerprint that are enough: nobody finds another key that shares them. */
const shortest = 16

/** The key whose fingerprint begins so. @throws {SkerryError} `not-found` */
const keyNamed = (desk: ZoneDesk, given: string, known: readonly string[], where: string): string => {
  const found = known.filter((key) => given.length >= shortest && desk.keyIdOf(key).startsWith(given))
  const [key] = found
  if (key === undefined || new Set(found).size > 1)
    throw new SkerryError(
      'not-found',
      `no key ${where} has the fingerprint ${given}: give 16 digits of it or more; "skerry zones authority" shows them`,
    )
  return key
}

const settle = async (desk: ZoneDesk, held: Owner, record: SignedRecord<KeyList>): Promise<Renewed> => {
  const { book, powers } = desk.options
  const signed = signersOf(keyListKind, record, held.keys, powers).size
  if (signed < held.threshold) return { kind: 'draft', draft: toHex(record.bytes), signed, needed: held.threshold }
  const [result] = await book.take([record.bytes])
  if (result?.kind === 'refused') throw new SkerryError(result.refusal.code, result.refusal.message)
  return { kind: 'made', generation: record.body.generation }
}

/** @param change fingerprints, at least 16 digits of each */
export const renewOwnZone = async (desk: ZoneDesk, change: ListChange): Promise<Renewed> => {
  const { self, powers, book } = desk.options
  const held = heldOrRefuse(desk)
  const enrolled = await enrolledHere(desk)
  const listed = [...held.keys.values()].map(toHex)
  const add = change.add.map((given) =>
    keyNamed(
      desk,
      given,
      enrolled.map(({ key }) => key),
      `of an aggregator that the zone above enrolled for ${self.scope}`,
    ),
  )
  const remove = change.remove.map((given) => keyNamed(desk, given, listed, `on the list of ${self.scope}`))
  const body = nextOwnList(book.networkId() ?? '', held, { ...change, add, remove })
  if (typeof body === 'string') throw new SkerryError('conflict', `no new list of ${self.scope}: ${body}`)
  return settle(desk, held, sealRecord(keyListKind, body, [self.signer], powers))
}

/** @param draft as `renewOwnZone` answered it */
export const signOwnZone = async (desk: ZoneDesk, draft: string): Promise<Renewed> => {
  const { self, powers } = desk.options
  const held = heldOrRefuse(desk)
  const read = readRecord(keyListKind, fromHex(draft), powers)
  if (!read.ok) throw new SkerryError('bad-request', `the draft is not readable: ${read.refusal.message}`)
  const problem = draftProblem(read.record, held)
  if (problem !== undefined) throw new SkerryError('conflict', `the draft is not signed: ${problem}`)
  return settle(desk, held, countersign(keyListKind, read.record, [self.signer]))
}
