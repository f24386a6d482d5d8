import { SkerryError } from '../base/index.ts'
import {
  type AuthorityPowers,
  type Book,
  fromHex,
  type KeyList,
  keyListKind,
  ownerOf,
  readRecord,
  type SignedRecord,
  type Signer,
  toHex,
} from '../crdt/index.ts'
import { type Topology, zoneAt } from '../topologies/index.ts'
import type { StateFile } from './powers/index.ts'
import { makeFirstList } from './services/membership/index.ts'

/** What an aggregator keeps of the authority it made for its zone. */
interface KeptZoneAuthority {
  /** The first key list, as it was signed, in hexadecimal. */
  readonly first: string
}

export interface ZoneFounding {
  readonly scope: string
  readonly topology: Topology | undefined
  readonly networkId: string
  readonly signer: Signer
  readonly book: Book
  readonly powers: AuthorityPowers
  readonly stateFile: <Value>(name: string) => StateFile<Value>
}

const readKept = (kept: KeptZoneAuthority, powers: AuthorityPowers): SignedRecord<KeyList> => {
  const read = readRecord(keyListKind, fromHex(kept.first), powers)
  if (!read.ok)
    throw new SkerryError(
      'damaged-file',
      `zone-authority.json in the data folder holds no key list (${read.refusal.message}): restore it`,
    )
  return read.record
}

/**
 * The first key list of a privacy zone, made by its aggregator at its first start and kept before it is used. Where the
 * topology names no other aggregator the node believes this authority alone from then on; where it names several, the one
 * their parent countersigned first holds.
 * @returns undefined where the zone is no privacy zone, or has keys that were granted before
 * @throws {SkerryError} `damaged-file`
 */
export const openZoneAuthority = async (founding: ZoneFounding): Promise<SignedRecord<KeyList> | undefined> => {
  const { scope, topology, networkId, signer, book, powers } = founding
  const zone = topology === undefined ? undefined : zoneAt(topology, scope)
  const file = founding.stateFile<KeptZoneAuthority>('zone-authority')
  const kept = file.load()
  if (kept === undefined && (zone?.privacy !== true || networkId === '' || scope === '/')) return undefined
  if (kept === undefined && book.trust() !== undefined && book.ownerAt(scope, 'zone') !== undefined) return undefined
  const first =
    kept === undefined ? makeFirstList({ network: networkId, scope, signer }, powers) : readKept(kept, powers)
  if (kept === undefined) file.save({ first: toHex(first.bytes) })
  if (zone?.hosts.length === 1) await book.anchor(new Map([[scope, ownerOf(first)]]))
  if (book.anchors().get(scope) === ownerOf(first) && book.trust() !== undefined) await book.take([first.bytes])
  return first
}
