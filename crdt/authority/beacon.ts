import * as z from 'zod'
import { count, hash, ownerId, record, timeMs } from './fields.ts'
import type { OwnerId } from './key-list.ts'
import { isSignedBy, type RecordKind, type SignedRecord } from './record.ts'
import { type Refused, refuse } from './refusal.ts'
import type { RootState } from './root.ts'
import { type AuthorityPowers, keyIdOf } from './signatures.ts'

/** What the root says from time to time, so that a site can tell old authority from new. */
export interface Beacon {
  readonly kind: 'beacon'
  readonly network: string
  /** Above that of every beacon before. */
  readonly counter: number
  /** Milliseconds since 1970, as a tower with trusted time believes. */
  readonly timeMs: number
  /** The highest generation of each owner the beacon speaks of. */
  readonly generations: Readonly<Record<OwnerId, number>>
  /** The root's block list. */
  readonly blockList: { readonly number: number; readonly id: string } | null
}

export const beaconKind: RecordKind<Beacon> = {
  kind: 'beacon',
  schema: record({
    kind: z.literal('beacon'),
    network: hash,
    counter: count,
    timeMs,
    generations: z.record(ownerId, count),
    blockList: record({ number: count, id: hash }).nullable(),
  }),
}

/** What the beacons so far came to. */
export interface BeaconState {
  readonly counter: number
  readonly id: string
  readonly timeMs: number
  /** The highest seen of each owner: no beacon takes one back. */
  readonly generations: ReadonlyMap<OwnerId, number>
  readonly blockList: Beacon['blockList']
}
export type AcceptedBeacon = { readonly ok: true; readonly state: BeaconState } | Refused

/** Judges the next beacon. One that would take back a generation or a block list number is refused whole. */
export const acceptBeacon = (
  next: SignedRecord<Beacon>,
  held: BeaconState | undefined,
  root: RootState,
  powers: AuthorityPowers,
): AcceptedBeacon => {
  const { body, id } = next
  if (body.network !== root.networkId) return refuse('wrong-network', 'the beacon belongs to another network')
  const keys = new Map(root.beacon === null ? [] : [[keyIdOf(root.beacon, powers.hash), root.beacon] as const])
  if (!isSignedBy(beaconKind, next, { keys, threshold: 1 }, powers))
    return refuse('not-enough-signatures', 'the beacon is not signed by the key the root names')
  if (held !== undefined && body.counter === held.counter && id === held.id) return { ok: true, state: held }
  if (held !== undefined && body.counter === held.counter)
    return refuse('rival', `there are two different beacons ${body.counter}`)
  if (held !== undefined && body.counter < held.counter)
    return refuse('stale', `beacon ${body.counter} is older than beacon ${held.counter}`)
  const lower = Object.entries(body.generations).find(([owner, n]) => n < (held?.generations.get(owner) ?? 0))
  if (lower || (body.blockList?.number ?? 0) < (held?.blockList?.number ?? 0))
    return refuse('stale', `beacon ${body.counter} takes back a generation or a block list`)
  const generations = new Map([...(held?.generations ?? []), ...Object.entries(body.generations)])
  return { ok: true, state: { counter: body.counter, id, timeMs: body.timeMs, generations, blockList: body.blockList } }
}

/**
 * For how long authority has been stale here; undefined while it is fresh.
 * @param heardMonotonicMs when the newest beacon came, on this node's monotonic clock; its start when none came
 */
export const staleForMs = (
  heardMonotonicMs: number,
  nowMonotonicMs: number,
  freshForMs: number,
): number | undefined => {
  const pastMs = nowMonotonicMs - heardMonotonicMs - freshForMs
  return pastMs > 0 ? pastMs : undefined
}
