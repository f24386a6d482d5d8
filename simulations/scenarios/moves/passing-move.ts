import type { Random } from '../../../base/index.ts'
import { asked } from '../asked.ts'
import { deploymentOf, type WorldApplication } from '../specifications.ts'
import type { MakeMove } from './move.ts'
import type { TowerDesk } from './tower-desk.ts'

/** So many are there at a time at most. */
const mostGuests = 2
/** One that is there stays so long at least, in milliseconds. */
const leastStayMs = 5_000
const lookEveryMs = 1_000

const guest = (number: number): WorldApplication => ({
  name: `guest-${number}`,
  placement: 'all-sites: true',
  siteLabels: {},
  mode: 'mode: one-per-matching-host',
  instances: (hosts) => hosts,
  containers: [{ name: 'web', changes: true }],
})

/** Takes the deployment and then the application away, as far as they are there: a try before may have got half way. */
const takeAway = (tower: TowerDesk, application: WorldApplication) => {
  const node = tower.free()
  return tower.change('come-and-go', application, [tower.wish(application, undefined)], async () => {
    const { config } = node?.services ?? {}
    const options = { ...asked, effect: 'apply' } as const
    for (const [kind, name] of [
      ['application-deployments', deploymentOf(application)],
      ['applications', application.name],
    ] as const)
      if ((await config?.read(kind, name, asked)) !== undefined) await config?.remove(kind, name, options)
    return undefined
  })
}

/** An application comes under a name of its own and is deleted some time later, with its deployment and every version. In the end none is left. */
export const comeAndGo: MakeMove = ({ scene: { world }, tower }) => {
  /** Since when each is there. */
  const guests = new Map<WorldApplication, number>()
  let made = 0
  const remove = async (application: WorldApplication): Promise<void> => {
    if ((await takeAway(tower, application)) === 'acknowledged') guests.delete(application)
  }
  const leaver = (random: Random) => {
    const due = [...guests].filter(([, sinceMs]) => world.nowMs() >= sinceMs + leastStayMs)
    return due[Math.floor(random.unit() * due.length)]?.[0]
  }
  return {
    begin: (random) => {
      if (!tower.free()) return false
      const leaving = guests.size < mostGuests && random.unit() < 0.5 ? undefined : leaver(random)
      if (leaving) {
        void remove(leaving)
        return true
      }
      if (guests.size >= mostGuests) return false
      made++
      const coming = guest(made)
      guests.set(coming, world.nowMs())
      tower.deploy('come-and-go', coming, '1')
      return true
    },
    settle: async () => {
      for (;;) {
        const [next] = guests.keys()
        if (!next) return
        if (tower.free()) await remove(next)
        if (guests.has(next)) await world.sleep(lookEveryMs, 'operator tries again')
      }
    },
  }
}
