import { errorText, type Random } from '../../../base/index.ts'
import { ancestorsOf, sites } from '../../../topologies/index.ts'
import type { Machine, World } from '../../world/index.ts'
import { thingOf } from '../canaries.ts'
import type { Wish } from '../ledger.ts'
import { deploymentOf, type WorldApplication } from '../specifications.ts'
import type { Office } from './move.ts'

/** Zones right below the towers that have no zone inside, by their aggregator; those of which it is up. */
export const zonesOf = ({ machines }: World): readonly Machine[] =>
  machines.filter(
    ({ place, node }) =>
      place.role === 'aggregator' &&
      node() !== undefined &&
      machines.some((above) => above.place.role === 'tower' && above.place.name === place.parents[0]) &&
      !machines.some((below) => below.place.role === 'aggregator' && below.place.parents[0] === place.name),
  )

const sitesWithin = ({ topology }: World, zone: string): ReadonlySet<string> =>
  new Set(
    sites(topology)
      .filter(({ type, path }) => type === 'edge' && ancestorsOf(path).some((around) => around === zone))
      .map(({ name }) => name as string),
  )

export const pick = <Value>(random: Random, values: readonly Value[]): Value | undefined =>
  values[Math.floor(random.unit() * values.length)]

/** A change by an operator of a zone, in the ledger as one. */
export const changeWithin = (
  { scene: { world, ledger } }: Office,
  zone: Machine,
  { application, move, wishes }: { application: WorldApplication; move: string; wishes: readonly Wish[] },
  work: () => Promise<readonly Wish[]>,
): Promise<boolean> => {
  const within = sitesWithin(world, zone.place.scope)
  const entry = ledger.ask({ deployment: deploymentOf(application), wishes, within }, world.nowMs())
  world.note(`operator of ${zone.place.scope} ${move} ${application.name}`)
  return work().then(
    (came) => {
      entry.answer('acknowledged', world.nowMs(), ...came)
      world.note(`operator of ${zone.place.scope} ${move} ${application.name}: acknowledged`)
      return true
    },
    (error: unknown) => {
      entry.answer('unknown', world.nowMs())
      world.note(`operator of ${zone.place.scope} was refused: ${errorText(error)}`)
      return false
    },
  )
}

/** Operators of a zone see labels that those above do not: the application may go where it never was. */
export const allowWhereItGoes = (
  { scene: { world, canaries } }: Office,
  application: WorldApplication,
  { sites: goesTo }: Wish,
): void => {
  const thing = thingOf(application.name)
  if (thing === '') return
  const hosts = world.machines.filter(({ place }) => goesTo.has(place.site ?? ''))
  canaries.add(
    thing,
    hosts.map((one) => one.place.name),
  )
}
