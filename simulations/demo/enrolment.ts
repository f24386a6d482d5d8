import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SkerryError } from '../../base/index.ts'
import { type DemoStep, linked, must, nodeView, parentNode } from './step.ts'
import { callAsStranger } from './stranger.ts'
import type { DemoNode, World } from './world.ts'

/** What a parent says of a host below it. */
interface Member {
  readonly name?: string
  readonly fingerprint?: string
  readonly 'oper-status': string
}

const short = (fingerprint: string | undefined): string => `${fingerprint?.slice(0, 16) ?? '?'}…`

/** The address at which a node accepts links. */
const addressOf = async (world: World, node: DemoNode): Promise<string> => {
  const [address] = (await nodeView(world, node)).addresses ?? []
  if (address === undefined) throw new SkerryError('not-shown', `${node.name} accepts no links`)
  return address
}

const enrolledAt = async (world: World, node: DemoNode, parent: DemoNode) => {
  const own = await linked(world, node)
  const members = await world.get<readonly Member[]>(parent, '/v1/state/system/call-home-hosts')
  const listed = members.find(({ name }) => name === node.name)
  must(listed?.['oper-status'] === 'enrolled', `${parent.name} lists ${node.name} as ${listed?.['oper-status']}`)
  must(
    own.fingerprint !== undefined && listed?.fingerprint === own.fingerprint,
    `${node.name} says it is ${own.fingerprint}, ${parent.name} has ${listed?.fingerprint}`,
  )
  return { parent: parent.name, fingerprint: short(own.fingerprint), listed: short(listed?.fingerprint), link: 'up' }
}

/** Another key shows the token that a host joined with. */
const tokenAgain = async (world: World, node: DemoNode, parent: DemoNode): Promise<string> => {
  const networkId = (await nodeView(world, parent))['network-id'] ?? ''
  const answer = await callAsStranger({
    address: await addressOf(world, parent),
    networkId,
    name: node.name,
    role: node.role,
    scope: node.scope,
    token: readFileSync(join(node['data-dir'], 'join-token'), 'utf8').trim(),
  })
  must(answer.kind !== 'admitted', `${parent.name} let another key in with the token of ${node.name}`)
  must(answer.message?.includes('was used before') === true, `the token of ${node.name}: ${answer.message}`)
  return `${answer.kind}: ${answer.message}`
}

export const enrolment: DemoStep = {
  name: 'enrolment',
  brief: 'every host makes its key and calls home; a spent token lets nobody in',
  proves:
    'every host made its own key and became a member by calling home; its parent lists the same fingerprint as the host itself, and its one-time token is spent: another key that shows it is not let in',
  run: async (world) => {
    const below = world.nodes().flatMap((node) => {
      const parent = parentNode(world, node)
      return parent === undefined ? [] : [{ node, parent }]
    })
    const members: Record<string, unknown> = {}
    for (const { node, parent } of below)
      members[node.name] = {
        ...(await enrolledAt(world, node, parent)),
        'token-again': await tokenAgain(world, node, parent),
      }
    const network = (await nodeView(world, world.node('tower')))['network-id']
    return { network, members }
  },
}
