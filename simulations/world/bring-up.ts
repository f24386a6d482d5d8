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

const linked = async (machine: Machine): Promise<SkerryNode | undefined> => {
  const node = machine.node()
  if (!node || machine.place.role === 'tower') return node
  return (await node.services.state.node(asked)).parent?.link === 'up' ? node : undefined
}

/**
 * What `skerry up` does: starts the towers, then each machine below with the id of the network and a one-time token of
 * its parent, parents first. Resolves when every node is linked to its parent; the world must be run meanwhile.
 */
export const bringUp = async (world: World): Promise<void> => {
  const install = async (machine: Machine, networkId: string): Promise<void> => {
    const { name, parents } = machine.place
    const parent = world.machines.find(({ place }) => place.name === parents[0])?.node()
    if (!parent) throw new SkerryError('no-parent', `${name} has no parent that runs`)
    const { token } = await parent.services.members.token(name, asked)
    machine.install({ networkId, token })
    machine.start()
    await until(world, () => linked(machine))
    await below(name, networkId)
  }
  const below = async (parent: string, networkId: string): Promise<void> => {
    const children = world.machines.filter(({ place }) => place.parents[0] === parent)
    await Promise.all(children.map((child) => install(child, networkId)))
  }
  for (const tower of world.machines.filter(({ place }) => place.role === 'tower')) {
    tower.start()
    const { networkId } = await until(world, () => linked(tower))
    await below(tower.place.name, networkId)
  }
}
