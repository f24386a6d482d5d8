import { errorText, type Random } from '../../../base/index.ts'
import { parentOf, zones } from '../../../topologies/index.ts'
import { asked } from '../asked.ts'
import type { MakeMove, Office } from './move.ts'

/** Kinds that those above can keep from leaving a zone without anybody noticing but those who read them. */
const kinds = ['reports', 'operations', 'logs'] as const

/** Somebody right above a zone says how much may leave it at most. */
const narrow = ({ scene: { world }, acknowledge }: Office, move: string, level: string, random: Random): boolean => {
  const all = zones(world.topology)
  const zone = all[Math.floor(random.unit() * all.length)]
  const kind = kinds[Math.floor(random.unit() * kinds.length)]
  const above = zone && world.machines.find(({ place }) => place.scope === parentOf(zone.path))?.node()
  if (!zone || !kind || !above) return false
  world.note(`operator ${move} ${kind} of ${zone.path}`)
  above.services.authority.narrow(zone.path, { [kind]: level }, asked).then(
    () => {
      world.note(`operator ${move} ${kind} of ${zone.path}: acknowledged`)
      acknowledge(move)
    },
    (error: unknown) => world.note(`operator was refused: ${errorText(error)}`),
  )
  return true
}

export const tighten: MakeMove = (office) => ({ begin: (random) => narrow(office, 'tighten', 'none', random) })

/** Takes back what was said; at a zone of which nothing was said it changes nothing. */
export const loosen: MakeMove = (office) => ({ begin: (random) => narrow(office, 'loosen', 'own', random) })
