import { errorText } from '../../../base/index.ts'
import type { MeshLink } from '../../../mesh/index.ts'
import { sites, zones } from '../../../topologies/index.ts'
import { isWithin } from './canary-register.ts'
import type { Plants } from './plant.ts'
import { asked, type WireNode, type WireTree } from './wire-tree.ts'

/** What somebody who asked was told, refusals too. */
export interface Answer {
  readonly at: WireNode
  readonly question: string
  readonly text: string
}

const answerOf = async (at: WireNode, question: string, work: () => Promise<unknown>): Promise<Answer> => {
  try {
    return { at, question, text: JSON.stringify(await work()) ?? '' }
  } catch (error) {
    return { at, question, text: errorText(error) }
  }
}

const textOf = async (bytes: AsyncIterable<Uint8Array>): Promise<string> => {
  const parts: Uint8Array[] = []
  for await (const part of bytes) parts.push(part)
  return Buffer.concat(parts).toString('latin1')
}

/** Asks a child by a request of its own making: a parent need not be the honest program. */
const askByHand = async (link: MeshLink, question: object): Promise<string> => {
  const stream = await link.openStream('request')
  const body = Buffer.from(JSON.stringify(question))
  await stream.send(Buffer.concat([Uint8Array.of(1), body]))
  const parts: Uint8Array[] = []
  for await (const message of stream.messages) parts.push(message)
  await stream.close().catch(() => undefined)
  return Buffer.concat(parts).toString('latin1')
}

/** What a person at a node can ask, with names that only a search from below would give away. */
const askByApi = async (tree: WireTree, at: WireNode, { tower }: Plants): Promise<readonly Answer[]> => {
  const { state, operations, members, images } = at.node.services
  const inside = zones(tree.topology).filter(({ path }) => path !== at.place.scope && isWithin(path, at.place.scope))
  const below = sites(tree.topology).filter(({ path, type }) => type === 'edge' && isWithin(path, at.place.scope))
  const questions: (readonly [string, () => Promise<unknown>])[] = [
    ['tree', () => state.tree(asked)],
    ['sites', () => state.sites(asked)],
    ['hosts', () => state.hosts(asked)],
    ['zones', () => state.zones(asked)],
    ['applications', () => state.applications(asked)],
    ['deployments', () => state.deployments(asked)],
    ['instances', () => state.serviceInstances(tower.application, asked)],
    ['members', () => members.list(asked)],
    ['images', () => images.list(asked)],
    ...inside.flatMap(({ path }) => [
      [`policy of ${path}`, () => state.zonePolicy(path, asked)] as const,
      [`members of ${path}`, () => members.list({ ...asked, zone: path })] as const,
    ]),
    ...below.flatMap(({ name }) => [
      [`explain at ${name}`, () => state.explain(tower.failing, { ...asked, site: name })] as const,
      [`node of ${name}`, () => state.node({ ...asked, site: name })] as const,
      [
        `exec at ${name}`,
        () =>
          operations.exec(`${tower.application}.web-1`, {
            ...asked,
            site: name,
            args: ['echo', 'hi'],
            timeoutMs: 5_000,
          }),
      ] as const,
      [
        `logs of ${name}`,
        async () =>
          textOf(
            await operations.logs(`${tower.application}.web-1`, {
              ...asked,
              site: name,
              tailBytes: 4_096,
              follow: false,
            }),
          ),
      ] as const,
    ]),
    ...below
      .slice(1)
      .map(
        ({ name }, index) => [`diff of ${name}`, () => state.siteDiff(below[index]?.name ?? '', name, asked)] as const,
      ),
  ]
  const answers: Answer[] = []
  for (const [question, work] of questions) answers.push(await answerOf(at, question, work))
  return answers
}

/** Requests that no program of ours would send across a border, over the very links the nodes use. */
const askBorders = async (tree: WireTree, at: WireNode, { tower }: Plants): Promise<readonly Answer[]> => {
  const answers: Answer[] = []
  for (const child of tree.nodes) {
    if (!child.place.parents.includes(at.place.name) || child.place.role !== 'aggregator') continue
    const link = tree.tap.linkOf(at.place.name, child.peerKey)
    if (link === undefined) continue
    const instance = `${tower.application}.web-1`
    for (const { place } of tree.nodes.filter((one) => isWithin(one.place.scope, child.place.scope)))
      for (const call of [
        { call: 'node' },
        { call: 'exec', instance, args: ['echo', 'hi'], timeoutMs: 5_000 },
        { call: 'logs', instance, tailBytes: 4_096, follow: false },
        { call: 'member', member: { op: 'list' } },
      ])
        answers.push(
          await answerOf(at, `${call.call} of ${place.name} by hand`, () =>
            askByHand(link, { to: place.name, ...call }),
          ),
        )
  }
  return answers
}

/** Everything those above can ask, by the API and by requests made by hand, at every tower and aggregator. */
export const askEverything = async (tree: WireTree, plants: Plants): Promise<readonly Answer[]> => {
  const answers: Answer[] = []
  for (const at of tree.nodes.filter(({ place }) => place.role !== 'edge')) {
    answers.push(...(await askByApi(tree, at, plants)))
    answers.push(...(await askBorders(tree, at, plants)))
  }
  return answers
}
