import test from 'ava'
import { rowsOf } from './apart.ts'
import { runDayApart } from './day-apart.ts'

test('a zone that was apart with changes on both sides agrees over one link, restarts nothing needlessly, and says it in few bytes', async (t) => {
  const result = await runDayApart({ seed: 3, apartMs: 30 * 60_000, changes: 12 })
  t.deepEqual(result.problems, [])
  t.deepEqual(
    rowsOf([result]).map(({ what, holds }) => `${what} ${holds}`),
    ['one-exchange true', 'nothing-restarted true', 'bytes true', 'conflict-of-both true'],
    JSON.stringify(result),
  )
  t.true((result.starts['tower-only/web'] ?? 0) > 0)
})

test('the rows say what is broken', (t) => {
  const good = {
    links: 1,
    agreedMs: 100,
    bytes: 100,
    finalBytes: 60,
    starts: { 'tower-only/web': 3 },
    conflicts: ['both'],
    problems: [],
  }
  const broken = (change: Partial<typeof good>) =>
    rowsOf([{ ...good, ...change }])
      .filter(({ holds }) => !holds)
      .map(({ what }) => what)
  t.deepEqual(broken({}), [])
  t.deepEqual(broken({ links: 2 }), ['one-exchange'])
  t.deepEqual(broken({ bytes: 121 }), ['bytes'])
  t.deepEqual(broken({ conflicts: [] }), ['conflict-of-both'])
  t.deepEqual(
    rowsOf([{ ...good, starts: { 'still/side': 1 } as never }])
      .filter(({ holds }) => !holds)
      .map(({ what }) => what),
    ['nothing-restarted'],
  )
})
