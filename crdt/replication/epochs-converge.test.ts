import test from 'ava'
import fc from 'fast-check'
import { createSeededRandom } from '../../base/index.ts'
import { createMemoryDisk, type MemoryDisk } from '../store/index.ts'
import { createPipe } from './link-pipe.contract.ts'
import {
  createNode,
  keyNamed,
  lanes,
  makeList,
  peerOf,
  quiet,
  records,
  type SceneNode,
} from './replication-scene.contract.ts'

const keys = ['tower', 'tower-2', 'tower-3'] as const
/** The owner has three keys, so three nodes write and seal. */
const north = makeList('/north', ['north', 'north-2'], 'tower')
const given = [records.root, makeList('/', keys, 'root'), north]
/** How the lane begins: at one node, and the others take it; at all three apart; or apart, at the first by an older list. */
type Beginning = 'once' | 'apart' | 'by an older list'
const lists = {
  old: makeList('/', ['tower'], 'root'),
  now: makeList('/', keys, 'root', { generation: 2 }),
}
const givenOf = (beginning: Beginning, at: number) =>
  beginning === 'by an older list' ? [records.root, at === 0 ? lists.old : lists.now, north] : given

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('write' as const), at: fc.nat(2), pick: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('seal' as const), at: fc.nat(2), pick: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('meet' as const), at: fc.nat(2), pick: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), at: fc.nat(2), pick: fc.nat(99) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Chance alone does not always come to a fourth epoch. */
const sealedAgainAndAgain: Step[] = [0, 1, 2, 3].flatMap((pick): Step[] => [
  { kind: 'write', at: 1, pick },
  { kind: 'seal', at: 1, pick },
  { kind: 'meet', at: 1, pick: 30 },
])

const idOf = (node: SceneNode) => node.documents.idOf(lanes.parent)!

/** Lets two nodes meet; the link breaks after some messages, or when both have come to rest. */
const meet = async (one: SceneNode, two: SceneNode, cutAfter = Infinity) => {
  const pipe = createPipe({ cutAfter })
  one.replicator.serve(pipe.left, peerOf(two.name, '/north', { recordsFor: '/north' }))
  two.replicator.serve(pipe.right, peerOf(one.name, '/north'))
  await quiet(50)
  pipe.cut()
  await quiet(3)
}

const play = async (steps: readonly Step[], keepEpochs: number, beginning: Beginning = 'once') => {
  const disks: MemoryDisk[] = keys.map(() => createMemoryDisk())
  let seed = 0
  const start = (at: number) => {
    seed += 1
    return createNode(`node-${at}`, { disk: disks[at]!, seed, keepEpochs }, givenOf(beginning, at))
  }
  const nodes = await Promise.all(keys.map((_, at) => start(at)))
  for (const [at, node] of nodes.entries())
    if (at === 0 || beginning !== 'once') await node.create(lanes.parent, keys[at]!)
  if (beginning === 'once') for (const at of [1, 2]) await meet(nodes[0]!, nodes[at]!)
  const said = new Map<string, number>()
  const acknowledged: string[] = []
  const run: { readonly [Kind in Step['kind']]: (at: number, pick: number, count: number) => Promise<void> } = {
    write: async (at, pick, count) => {
      const result = await nodes[at]!.put(lanes.parent, keys[at]!, { [`host/h${pick}`]: `value ${count}` })
      if (result?.ok) acknowledged.push(...result.envelopes.map(({ hash }) => hash))
    },
    seal: async (at) => {
      const node = nodes[at]!
      const owner = node.book.ownerAt('/', 'zone')!
      const sealed = await node.documents.seal(idOf(node), { owner, signer: keyNamed(keys[at]!) })
      if (!sealed.ok && sealed.refusal.code !== 'no-change') throw new Error(sealed.refusal.message)
    },
    meet: (at, pick) => meet(nodes[at]!, nodes[(at + 1 + (pick % 2)) % 3]!, pick > 20 ? Infinity : 1 + pick),
    crash: async (at, pick) => {
      disks[at]!.crash(createSeededRandom(pick))
      nodes[at] = await start(at)
    },
  }
  for (const [count, { kind, at, pick }] of steps.entries()) {
    await run[kind](at, pick, count)
    said.set(kind, count)
  }
  // In the end all know the list of now.
  if (beginning === 'by an older list') await nodes[0]!.book.take([lists.now.bytes])
  for (let round = 0; round < 3; round++)
    for (const [a, b] of [
      [0, 1],
      [1, 2],
      [0, 2],
    ] as const)
      await meet(nodes[a]!, nodes[b]!)
  return { nodes, acknowledged }
}

const comesTo = async (node: SceneNode) => {
  const standing = await node.documents.standing(idOf(node))
  return JSON.stringify([
    node.documents.summaryOf(idOf(node)),
    [...standing].map(([key, puts]) => [key, puts.map(({ value }) => value)]),
  ])
}

/** Hashes that are late, and those inside: of the open epoch and of all that are kept. */
const accountOf = async ({ documents }: SceneNode, id: string) => {
  const late = new Set((await documents.late(id)).map(({ hash }) => hash))
  const epochs = [...documents.pastOf(id).map(({ epoch }) => epoch), documents.epochOf(id)!.epoch]
  const held = (await Promise.all(epochs.map((epoch) => documents.hashes(id, epoch)))).flat()
  return { late, inside: held.filter((hash) => !late.has(hash)) }
}

const ways = [
  { keepEpochs: 100, beginning: 'once' },
  { keepEpochs: 1, beginning: 'once' },
  { keepEpochs: 100, beginning: 'apart' },
  { keepEpochs: 100, beginning: 'by an older list' },
] as const
for (const { keepEpochs, beginning } of ways)
  test(`three nodes that write, seal, part, meet and crash come to one, with ${keepEpochs} sealed epochs kept and a lane begun ${beginning}, and lose nothing`, async (t) => {
    t.timeout(300_000)
    const seen = { rivals: 0, late: 0, epochs: 0 }
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), async (steps) => {
        const { nodes, acknowledged } = await play(steps, keepEpochs, beginning)
        const id = idOf(nodes[0]!)
        const [first, ...others] = await Promise.all(nodes.map(comesTo))
        const late = await Promise.all(nodes.map((node) => node.documents.late(id)))
        seen.late += late[0]?.length ?? 0
        seen.rivals += late.flat().filter(({ reason }) => reason === 'rival').length
        seen.epochs = Math.max(seen.epochs, nodes[0]!.documents.epochOf(id)!.epoch)
        if (others.some((other) => other !== first)) return false
        if (nodes.some((node) => node.documents.quarantined().length > 0)) return false
        if (keepEpochs === 1) return true
        // Where all is kept: each change that was acknowledged is inside what the nodes came to, or late on every node.
        const accounts = await Promise.all(nodes.map((node) => accountOf(node, id)))
        const inside = new Set(accounts.flatMap((account) => account.inside))
        return acknowledged.every((hash) => inside.has(hash) || accounts.every(({ late }) => late.has(hash)))
      }),
      { numRuns: 30, examples: [[sealedAgainAndAgain]] },
    )
    t.true(seen.late > 10 && seen.rivals > 0 && seen.epochs > 3, JSON.stringify(seen))
  })
