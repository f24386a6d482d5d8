import test from 'ava'
import { createCountedPipe } from './counted-pipe.ts'

const one = new Uint8Array([1])
const first = async (messages: AsyncIterable<Uint8Array>) => {
  for await (const message of messages) return message
  return undefined
}

test('what both ends say at once crosses the link once', async (t) => {
  const pipe = createCountedPipe()
  await Promise.all([pipe.left.send(one), pipe.right.send(one), pipe.left.send(one)])
  await Promise.all([first(pipe.left.messages), first(pipe.right.messages)])
  t.is(pipe.crossings(), 1)
})

test('an answer to an answer is a third crossing', async (t) => {
  const pipe = createCountedPipe()
  await pipe.left.send(one)
  await first(pipe.right.messages)
  await pipe.right.send(one)
  await first(pipe.left.messages)
  await pipe.left.send(one)
  t.is(pipe.crossings(), 3)
})

test('a closed link ends both ends', async (t) => {
  const pipe = createCountedPipe()
  const waiting = first(pipe.left.messages)
  pipe.close()
  t.is(await waiting, undefined)
  await t.throwsAsync(pipe.right.send(one))
})
