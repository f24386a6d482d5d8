import test from 'ava'
import fc from 'fast-check'
import { reduce } from './reduce.ts'
import { formatSmallRun, parseSmallRun } from './small-run.ts'

test('of a list is left just what a failure needs, in its order, within bounded questions', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 40 }), fc.array(fc.nat(39), { maxLength: 5 }), async (size, some) => {
      const items = Array.from({ length: size }, (_, at) => at)
      const needed = [...new Set(some.filter((one) => one < size))].toSorted((a, b) => a - b)
      let asked = 0
      const left = await reduce(items, async (tried) => {
        asked++
        return needed.every((one) => tried.includes(one))
      })
      t.deepEqual(left, needed)
      t.true(asked <= 4 + 12 * size)
    }),
  )
})

test('where one of several things is enough, one is left', async (t) => {
  const left = await reduce([1, 2, 3, 4, 5, 6, 7], async (some) => some.includes(3) || some.includes(6))
  t.true(left.length === 1 && (left[0] === 3 || left[0] === 6), String(left))
})

test('a small run is read as it was written', (t) => {
  for (const small of [
    { faults: [1, 4], moves: [0], harmMs: 30_500, isFinished: false, without: ['n1', 'q7-a-7q'] },
    { faults: [], moves: [], harmMs: 1_000, isFinished: true, without: [] },
  ])
    t.deepEqual(parseSmallRun(formatSmallRun(small)), small)
})

test('a plan that cannot be read is refused with the part that is wrong', (t) => {
  t.throws(() => parseSmallRun('faults=1;moves=x;harm-s=3;finish=no'), { message: /^--plan moves=x: give it as / })
  t.throws(() => parseSmallRun('colour=1'), { message: /^--plan colour=1/ })
  t.throws(() => parseSmallRun('faults=1;moves=;harm-s=;finish=no'), { message: /^--plan harm-s=/ })
  t.throws(() => parseSmallRun('faults=1;moves=;harm-s=3;finish=maybe'), { message: /^--plan finish=maybe/ })
})
