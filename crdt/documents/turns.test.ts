import test from 'ava'
import { createTurns } from './turns.ts'

const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

test('work under one name goes in order, under others at the same time', async (t) => {
  const turns = createTurns()
  const said: string[] = []
  const gates = new Map<string, () => void>()
  const job = (name: string, names: readonly string[]) =>
    turns.run(names, async () => {
      said.push(`${name} begins`)
      await new Promise<void>((resolve) => gates.set(name, resolve))
      said.push(`${name} ends`)
    })
  const all = [job('1', ['a']), job('2', ['a', 'b']), job('3', ['b', 'a']), job('4', ['c'])]
  await settle()
  t.deepEqual(said, ['1 begins', '4 begins'])
  gates.get('1')?.()
  await settle()
  t.deepEqual(said.slice(2), ['1 ends', '2 begins'])
  let isIdle = false
  const idle = turns.idle().then(() => {
    isIdle = true
  })
  gates.get('2')?.()
  await settle()
  t.deepEqual(said.slice(4), ['2 ends', '3 begins'])
  t.false(isIdle)
  gates.get('3')?.()
  gates.get('4')?.()
  await Promise.all([...all, idle])
  t.true(isIdle)
})

test('work that fails lets the next one go', async (t) => {
  const turns = createTurns()
  const failing = turns.run(['a'], async () => {
    throw new Error('no')
  })
  const next = turns.run(['a'], async () => 'yes')
  await t.throwsAsync(failing, { message: 'no' })
  t.is(await next, 'yes')
  await turns.idle()
})
