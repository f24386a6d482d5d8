import { ownerOf } from '../../../crdt/index.ts'
import {
  call,
  powers,
  type SceneNode,
  signerNamed,
  siteOf,
  startNode,
  startTower,
  zoneOf,
} from './membership-scene.contract.ts'
import type { OwnZone } from './own-lane.ts'
import { makeFirstList } from './own-zone.ts'

/** A privacy zone as its parent expects it. */
export const south = { ...zoneOf('/south', ['south-agg']), isPrivacy: true as const }

/** An aggregator that made its zone's first list and believes that alone. */
export const startSouth = async (
  networkId: string,
  tokens: readonly string[],
  key = 'south-agg',
  {
    name = 'south-agg',
    isSole = true,
    ownZone,
  }: { readonly name?: string; readonly isSole?: boolean; readonly ownZone?: OwnZone } = {},
): Promise<SceneNode> => {
  const firstList = makeFirstList({ network: networkId, scope: '/south', signer: signerNamed(key) }, powers)
  const node = await startNode({
    name,
    key,
    role: 'aggregator',
    scope: '/south',
    networkId,
    tokens,
    expected: () => [siteOf('/south/s1', ['s1-a'])],
    more: { firstList, ...(ownZone && { ownZone }) },
  })
  if (isSole) await node.book.anchor(new Map([['/south', ownerOf(firstList)]]))
  await node.membership.start()
  return node
}

/** A tower, the aggregator of its privacy zone and a host in that. */
export const privacyTree = async () => {
  const tower = await startTower(() => [south])
  const { token } = await tower.membership.token('south-agg')
  const agg = await startSouth(tower.networkId, [token])
  admitted(await call(agg, tower))
  const edge = await startNode({
    name: 's1-a',
    role: 'edge',
    scope: '/south/s1',
    networkId: tower.networkId,
    tokens: [(await agg.membership.token('s1-a')).token],
  })
  await edge.membership.start()
  admitted(await call(edge, agg))
  return { tower, agg, edge }
}
/** @throws when the child was not admitted */
export const admitted = ({ accepted }: { readonly accepted: { readonly ok: boolean } }) => {
  if (!accepted.ok) throw new Error(JSON.stringify(accepted))
}
