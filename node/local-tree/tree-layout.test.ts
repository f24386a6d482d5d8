import test from 'ava'
import { parse } from 'yaml'
import type { TreeNode } from '../tree-node.ts'
import { layoutTree, nodeFile } from './tree-layout.ts'

const tree: readonly TreeNode[] = [
  { name: 's1-a', role: 'edge', scope: '/south/s1', site: 's1', parents: ['south-agg'] },
  { name: 'tower', role: 'tower', scope: '/', site: '', parents: [] },
  { name: 'south-agg', role: 'aggregator', scope: '/south', site: '', parents: ['tower'] },
  { name: 's1-b', role: 'edge', scope: '/south/s1', site: 's1', parents: ['south-agg'] },
]
const place = {
  home: '/var/lib/skerry',
  runBase: '/run/skerry/ffffffff',
  id: 'ffffffff',
  subnetBase: 0x7fff,
  meshPortBase: 18_000,
}

test('parents come before children and nothing is shared', (t) => {
  const nodes = layoutTree(tree, place)
  t.deepEqual(
    nodes.map(({ name }) => name),
    ['tower', 'south-agg', 's1-a', 's1-b'],
  )
  const edges = nodes.filter(({ role }) => role === 'edge')
  for (const key of ['bridge', 'subnet', 'runDir', 'dataDir', 'joinTokenFile'] as const)
    t.is(new Set(edges.map((node) => node[key])).size, edges.length, key)
  const [first, second] = edges.map(({ portRange }) => portRange)
  t.true((first?.[1] ?? 0) < (second?.[0] ?? 0) || (second?.[1] ?? 0) < (first?.[0] ?? 0))
  t.true(edges.every(({ portRange }) => portRange[0] >= 20_000 && portRange[1] < 32_768))
  t.deepEqual(
    edges.map(({ subnet }) => subnet),
    ['10.127.255.0/24', '10.128.0.0/24'],
  )
})

test('device names fit into the fifteen characters Linux allows', (t) => {
  const many = Array.from({ length: 30 }, (_, n) => ({ ...tree[0], name: `e${n}` }) as TreeNode)
  for (const { bridge } of layoutTree(many, place)) t.true(bridge.length <= 15, bridge)
})

test('the file of a node says who its parents are, and those with children read a topology of their own', (t) => {
  const nodes = layoutTree(tree, place)
  const file = (name: string) => {
    const node = nodes.find((one) => one.name === name)
    if (!node) throw new Error(name)
    return parse(
      nodeFile(node, {
        networkId: 'ab'.repeat(32),
        tokenFile: '/token',
        runtime: 'auto',
        parents: nodes.filter((one) => node.parents.includes(one.name)),
        logLevel: 'info',
      }),
    ) as Record<string, string>
  }
  t.is(file('s1-a').parents, '127.0.0.1:18001')
  t.is(file('s1-a')['network-id'], 'ab'.repeat(32))
  t.is(file('s1-a').topology, undefined)
  t.is(file('s1-a')['mesh-listen'], '127.0.0.1:18002', 'where siblings reach it')
  t.is(file('tower').topology, '/var/lib/skerry/nodes/tower/topology.yaml')
  t.is(file('tower')['mesh-listen'], '127.0.0.1:18000')
  t.is(file('south-agg')['join-token-file'], '/var/lib/skerry/nodes/south-agg/join-token')
})

test('an aggregator that is not alone in its zone is told where the others listen', (t) => {
  const nodes = layoutTree([...tree, { ...tree[2]!, name: 'south-two' }], place)
  const [one, two] = ['south-agg', 'south-two'].map((name) => nodes.find((node) => node.name === name)!)
  const given = { networkId: '', tokenFile: '/token', runtime: 'auto', parents: [], logLevel: 'info' }
  t.true(nodeFile(one!, { ...given, fellows: [two!] }).includes(`fellows: "${two!.meshAddress}"`))
  t.false(nodeFile(one!, given).includes('fellows'))
})
