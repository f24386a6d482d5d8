import test from 'ava'
import { createRounds } from './rounds.ts'

test('calls that come while a round waits to begin share it, and one that comes during it has the next', async (t) => {
  let rounds = 0
  const begin: (() => void)[] = []
  const settle = createRounds(
    async () => {
      rounds += 1
      if (rounds === 1) void settle()
    },
    () => new Promise((resolve) => begin.push(() => resolve(true))),
  )
  const done = [settle(), settle(), settle()]
  t.is(begin.length, 1)
  t.is(rounds, 0)
  begin.shift()?.()
  while (begin.length === 0) await Promise.resolve()
  t.is(rounds, 1)
  begin.shift()?.()
  await Promise.all(done)
  t.is(rounds, 2)
})

test('no round begins where the wait says that the node stops', async (t) => {
  let rounds = 0
  await createRounds(
    async () => {
      rounds += 1
    },
    async () => false,
  )()
  t.is(rounds, 0)
})
