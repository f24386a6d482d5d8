import { SkerryError } from '../../base/index.ts'
import type { NodeLayout } from './tree-layout.ts'

/** By the name of a node: the address through which it reaches its parents, as `host:port`. */
export type Detours = Readonly<Record<string, string>>

/** What is written instead of an address to go straight again. */
const straight = 'direct'
const option = '--via'

const refuse = (given: string, why: string): never => {
  throw new SkerryError(
    'invalid-option',
    `${option} ${given}: ${why}. Write ${option} NODE=HOST:PORT, or ${option} NODE=${straight} for the parent itself`,
  )
}

/** A name or an address of IPv4, or one of IPv6 in brackets, and a port from 1 to 65535. */
const isAddress = (text: string): boolean => {
  const port = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/.exec(text)?.[1]
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535
}

/**
 * The detours of a tree after those that a person gave, each as `NODE=HOST:PORT` or `NODE=direct`.
 * @param chosen nodes that are started now: a detour of another would count some day and surprise
 * @throws {SkerryError} `invalid-option`, `no-such-node`
 */
export const withDetours = (
  before: Detours,
  given: readonly string[],
  nodes: readonly Pick<NodeLayout, 'name' | 'parents'>[],
  chosen: readonly Pick<NodeLayout, 'name'>[],
): Detours => {
  const next = new Map(Object.entries(before))
  const seen = new Set<string>()
  for (const text of given) {
    const at = text.indexOf('=')
    if (at < 1) refuse(text, 'it names no node and no address')
    const [name, address] = [text.slice(0, at), text.slice(at + 1)]
    const node = nodes.find((one) => one.name === name)
    if (node === undefined)
      throw new SkerryError(
        'no-such-node',
        `${option} ${text}: ${name} is no node of this tree; it has ${nodes.map((one) => one.name).join(', ')}`,
      )
    if (node.parents.length === 0) refuse(text, `${name} has no parent to reach`)
    if (!chosen.some((one) => one.name === name)) refuse(text, `${name} is not started by this command`)
    if (seen.has(name)) refuse(text, `${name} is given twice`)
    seen.add(name)
    if (address === straight) next.delete(name)
    else if (isAddress(address)) next.set(name, address)
    else refuse(text, `${address || 'nothing'} is no address`)
  }
  return Object.fromEntries(next)
}

/** Nodes that go another way than before. */
export const rerouted = <Node extends Pick<NodeLayout, 'name'>>(
  before: Detours,
  after: Detours,
  nodes: readonly Node[],
): readonly Node[] => nodes.filter(({ name }) => before[name] !== after[name])
