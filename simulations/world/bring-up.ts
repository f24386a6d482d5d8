import { SkerryError } from '../../base/index.ts'
import type { SkerryNode } from '../../node/index.ts'
import type { Machine } from './machine.ts'
import type { World } from './world.ts'

const asked = { caller: { tenant: 'default', user: 'installer' }, signal: new AbortController().signal } as const
/** An installer looks this often whether a machine is up. */
const lookEveryMs = 100

const until = async <Value>(world: World, found: () => Promise<Value | undefined>): Promise<Value> => {
  for (;;) {
    const value = await found()
    if (value !== undefined) return value
    await world.sleep(lookEveryMs, 'installer')
  }
}

/** The node of a machine once it is linked to its parent; undefined before. */
export const linked = async (machine: Machine): Promise<SkerryNode | undefined> => {
  const node = machine.node()
  if (!node || machine.place.role === 'tower') return node
  return (await node.services.state.node(asked)).parent?.link === 'up' ? node : undefined
}

/**
 * What an installer does at one machine: starts it with the id of the network and a one-time token of its parent.
 * Resolves when it is linked; the world must be run meanwhile. @throws {SkerryError} `no-parent` while that is down
 */
export const enrol = async (world: World, machine: Machine, networkId: string): Promise<void> => {
  const { name, parents } = machine.place
  const parent = world.machines.find(({ place }) => place.name === parents[0])?.node()
  if (!parent) throw new SkerryError('no-parent', `${name} has no parent that runs`)
  const { token } = await parent.services.members.token(name, asked)
  machine.install({ networkId, token })
  machine.start()
  await until(world, () => linked(machine))
}

/**
 * What `skerry up` does: starts the towers, then each machine below with the id of the network and a one-time token of
 * its parent, parents first. Resolves when every node is linked to its parent; the world must be run meanwhile.
 * @param spares machines that are in the topology and not set up yet. @default none
 */
export const bringUp = async (world: World, spares: readonly string[] = []): Promise<void> => {
  const below = async (parent: string, networkId: string): Promise<void> => {
    const children = world.machines.filter(({ place }) => place.parents[0] === parent && !spares.includes(place.name))
    await Promise.all(
      children.map(async (child) => {
        await enrol(world, child, networkId)
        await below(child.place.name, networkId)
      }),
    )
  }
  for (const tower of world.machines.filter(({ place }) => place.role === 'tower')) {
    tower.start()
    const { networkId } = await until(world, () => linked(tower))
    await below(tower.place.name, networkId)
  }
}
