import test from 'ava'
import { createSeededRandom } from '../../../base/index.ts'
import { drawKill, type Killable } from './kill-plan.ts'
import { drawAsk } from './load.ts'

const nodes: readonly Killable[] = [
  { name: 'tower', role: 'tower' },
  ...['a1', 'a2'].map((name) => ({ name, role: 'aggregator' })),
  ...['e1', 'e2', 'e3', 'e4', 'e5'].map((name) => ({ name, role: 'edge' })),
]
const plans = (seed: number) =>
  Array.from({ length: 300 }, (_, round) => drawKill(createSeededRandom(seed).fork(`round ${round}`), nodes))

test('the same seed draws the same kills', (t) => {
  t.deepEqual(plans(7), plans(7))
  t.notDeepEqual(plans(7), plans(8))
})

test('over many rounds every node is killed, alone and with others, at once and for longer, and again while it starts', (t) => {
  const drawn = plans(1)
  t.deepEqual(
    [...new Set(drawn.flatMap(({ victims }) => victims))].toSorted(),
    nodes.map(({ name }) => name).toSorted(),
  )
  for (const { name } of nodes)
    t.true(
      drawn.some(({ victims }) => victims.length === 1 && victims[0] === name),
      name,
    )
  t.true(drawn.some(({ victims }) => victims.length === nodes.length))
  t.true(drawn.some(({ awayMs }) => awayMs > 3_000))
  t.true(drawn.some(({ awayMs }) => awayMs < 200))
  t.true(drawn.some(({ againMs }) => againMs !== undefined))
  t.deepEqual([...new Set(drawn.map(({ start }) => start))].toSorted(), ['nodes', 'tree'])
  t.true(drawn.every(({ victims }) => new Set(victims).size === victims.length && victims.length > 0))
})

test('changes are upgrades, rollbacks and removals, and what was removed comes again', (t) => {
  const random = createSeededRandom(3)
  const drawn = Array.from({ length: 200 }, () => drawAsk(random, '1'))
  t.deepEqual([...new Set(drawn.map(({ kind, to }) => `${kind} ${to ?? ''}`.trim()))].toSorted(), [
    'put 2',
    'remove',
    'rollback 2',
  ])
  const again = Array.from({ length: 50 }, () => drawAsk(random, undefined))
  t.deepEqual([...new Set(again.map(({ kind, to }) => `${kind} ${to}`))].toSorted(), ['put 1', 'put 2'])
})
