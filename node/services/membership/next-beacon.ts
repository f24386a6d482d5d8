import { parseScopePath } from '../../../base/index.ts'
import type { Beacon, BeaconState, Trust } from '../../../crdt/index.ts'
import { parentOf } from '../../../topologies/index.ts'

/** Owners a beacon speaks of. */
const maxOwners = 1_000

/** A start leaves out fewer numbers than this: a copy of the disk would sign them again. */
export const beaconLeap = 2 ** 16

const isNear = (scope: string): boolean => scope === '/' || parentOf(parseScopePath(scope)) === '/'

/**
 * The next beacon: the owners of `/`, those of zones directly below it and the tenants at home there, the tower's own first
 * where there are too many. It takes back nothing an earlier one said.
 *
 * Its number is the time in seconds where that is higher than the next: a tower whose disk went back to an earlier time must
 * not sign a number that it signed before.
 * @param trustedNowMs undefined where time is not trusted: the beacon then repeats the time of the last
 * @param leap how many numbers are left out: what takes the place of the time where that is not trusted or wrong. @default 0
 */
export const nextBeacon = (
  trust: Trust,
  held: BeaconState | undefined,
  trustedNowMs: number | undefined,
  leap = 0,
): Omit<Beacon, 'kind'> => {
  const owners = [...trust.owners.values()]
    .filter(({ id, role, scope }) => role !== 'site' && !trust.retired.has(id) && isNear(scope))
    .toSorted((a, b) => a.scope.length - b.scope.length || (a.id < b.id ? -1 : 1))
    .slice(0, maxOwners)
  const generations = owners.map(
    ({ id, generation }) => [id, Math.max(generation, held?.generations.get(id) ?? 0)] as const,
  )
  const ofRoot = trust.blockLists
    .filter(({ body }) => body.issuer === null)
    .toSorted((a, b) => b.body.number - a.body.number)[0]
  return {
    network: trust.root.networkId,
    counter: Math.max((held?.counter ?? 0) + 1 + leap, Math.floor((trustedNowMs ?? 0) / 1_000)),
    timeMs: Math.max(trustedNowMs ?? 0, held?.timeMs ?? 0),
    generations: Object.fromEntries(generations),
    blockList: ofRoot === undefined ? (held?.blockList ?? null) : { number: ofRoot.body.number, id: ofRoot.id },
  }
}
