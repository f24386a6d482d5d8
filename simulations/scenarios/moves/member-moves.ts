import { errorText, SkerryError } from '../../../base/index.ts'
import { enrol as enrolAt, linked, type Machine, type World } from '../../world/index.ts'
import { asked } from '../asked.ts'
import type { MakeMove, Office } from './move.ts'
import { withinPatience } from './within-patience.ts'

/** An operator looks this often whether what was begun is done, in milliseconds. */
const lookEveryMs = 1_000

const parentOf = (world: World, machine: Machine) =>
  world.machines.find(({ place }) => place.name === machine.place.parents[0])?.node()

/** Gives a machine of the topology that is not set up yet a token, and starts it. */
const setUp = async ({ scene: { world }, spares, acknowledge }: Office, machine: Machine): Promise<void> => {
  const { name } = machine.place
  world.note(`operator enrols ${name}`)
  for (;;) {
    const parent = parentOf(world, machine)
    try {
      if (parent) await enrolAt(world, machine, parent.networkId)
      if (parent) break
    } catch (error) {
      world.note(`operator could not enrol ${name}: ${errorText(error)}`)
      // It came on with the token of a try that nobody answered.
      if (error instanceof SkerryError && error.code === 'already-enrolled' && (await linked(machine))) break
    }
    await world.sleep(lookEveryMs, 'operator tries again')
  }
  spares.delete(name)
  world.note(`operator enrolled ${name}`)
  acknowledge('enrol')
}

/** A machine that was not there yet joins with a token of its parent. In the end none is left out. */
export const enrol: MakeMove = (office) => {
  const { world } = office.scene
  const underWay = new Map<string, Promise<void>>()
  const begin = (machine: Machine) => {
    const { name } = machine.place
    const known = underWay.get(name)
    if (known) return known
    const work = setUp(office, machine)
    underWay.set(name, work)
    return work
  }
  return {
    begin: (random) => {
      const left = world.machines.filter(({ place }) => office.spares.has(place.name) && !underWay.has(place.name))
      const machine = left[Math.floor(random.unit() * left.length)]
      if (!machine || !parentOf(world, machine)) return false
      void begin(machine)
      return true
    },
    settle: async () => {
      for (const machine of world.machines) if (office.spares.has(machine.place.name)) await begin(machine)
    },
  }
}

/**
 * The board of a host is dead: another one takes its place with an empty disk and a key of its own, calls its parent
 * without a token, and an operator there says that it is the host.
 */
export const replace: MakeMove = (office) => {
  const { world } = office.scene
  const blank = new Map(world.machines.map(({ place, disk }) => [place.name as string, disk.backup()]))
  let isBusy = false
  const claim = async (machine: Machine): Promise<void> => {
    const { name } = machine.place
    let isClaimed = false
    while (!isClaimed || !(await linked(machine))) {
      await world.sleep(lookEveryMs, 'operator tries again')
      if (isClaimed) continue
      try {
        const parent = parentOf(world, machine)
        if (parent)
          await withinPatience(world, parent.services.members.claim({ hostId: `host-of-${name}` }, name, asked))
        isClaimed = parent !== undefined
      } catch (error) {
        world.note(`operator could not claim ${name}: ${errorText(error)}`)
        // A try that nobody answered was done.
        isClaimed = (await linked(machine)) !== undefined
      }
    }
    world.note(`operator claimed ${name}`)
    office.acknowledge('replace')
    isBusy = false
  }
  return {
    begin: (random) => {
      const hosts = world.machines.filter(
        (one) =>
          one.place.role === 'edge' &&
          one.isRunning() &&
          !one.isAsleep() &&
          !office.spares.has(one.place.name) &&
          !office.blocked.has(one.place.site ?? ''),
      )
      const machine = hosts[Math.floor(random.unit() * hosts.length)]
      const parent = machine && parentOf(world, machine)
      if (isBusy || !machine || !parent) return false
      isBusy = true
      world.note(`${machine.place.name} is replaced by another machine`)
      machine.crash('power')
      machine.host?.wipe()
      blank.get(machine.place.name)?.()
      machine.install({ networkId: parent.networkId, token: '' })
      machine.start()
      void claim(machine)
      return true
    },
    settle: async () => {
      while (isBusy) await world.sleep(lookEveryMs, 'operator waits')
    },
  }
}
