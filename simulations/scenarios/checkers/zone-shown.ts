import { asked } from '../asked.ts'
import type { MakeChecker } from '../checker.ts'

/**
 * Once all is healed each aggregator shows every host of its zone as up, whichever aggregator of the zone that is linked to:
 * whoever asks hears of all.
 */
export const zoneShown: MakeChecker = ({ world }) => {
  let seen = 0
  return {
    invariant: 3,
    sentence: 'aggregators of one zone show the same of all its hosts',
    observer: {},
    violations: () => [],
    seen: () => seen,
    lacking: async () => {
      const lacking: string[] = []
      for (const { place, node } of world.machines) {
        const state = place.role === 'aggregator' ? node()?.services.state : undefined
        for (const host of (await state?.hosts(asked)) ?? []) {
          const told = await world.machine(host.node).node()?.services.state.node(asked)
          if (host['oper-status'] !== 'up') lacking.push(`${place.name} shows ${host.name} as unknown: ${host.note}`)
          // Those that are linked to it itself prove nothing.
          else if (told?.parent?.node !== place.name) seen++
        }
      }
      return lacking
    },
  }
}
