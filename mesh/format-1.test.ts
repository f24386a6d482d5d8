import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { createFrameReader, encodeFrames, type Frame, frameKinds } from './frames.ts'
import { encodeHello, judgeHello } from './hello.ts'

const path = join(import.meta.dirname, 'fixtures', 'frames.1.hex')

/** One frame of each kind, as the first release that spoke format 1 sent it. */
const frames: readonly Frame[] = frameKinds.map((kind) => {
  const stream = kind === 'hello' || kind === 'refuse' || kind === 'ping' || kind === 'bye' ? 0 : 1
  const payloads: Partial<Record<Frame['kind'], Uint8Array>> = {
    hello: encodeHello(1),
    refuse: Buffer.from('update yours'),
    open: Buffer.concat([Uint8Array.of(2), Buffer.from('blob')]),
    more: Buffer.from('first half, '),
    data: Buffer.from('second half'),
    credit: Uint8Array.of(0, 8, 0, 0),
    abort: Buffer.from('failed'),
  }
  return { kind, stream, payload: Uint8Array.from(payloads[kind] ?? []) }
})

test('frames of format 1 are read as they were written', (t) => {
  if (!existsSync(path) && process.env.GOLDEN === 'write')
    writeFileSync(path, `${Buffer.from(encodeFrames(frames)).toString('hex')}\n`)
  const bytes = Uint8Array.from(Buffer.from(readFileSync(path, 'utf8').trim(), 'hex'))
  const read = createFrameReader()(bytes)
  t.deepEqual(
    read.map(({ kind, stream, payload }) => ({ kind, stream, payload: Uint8Array.from(payload) })),
    frames,
  )
  t.deepEqual(Uint8Array.from(encodeFrames(frames)), bytes)
})

test('a greeting of a newer version is refused in words that say who is to update', (t) => {
  t.deepEqual(judgeHello(encodeHello(1)), { kind: 'welcome' })
  const verdict = judgeHello(encodeHello(2))
  t.is(verdict.kind, 'other-version')
  t.regex(verdict.kind === 'other-version' ? verdict.here : '', /version 2 .* only 1: update this node/)
  t.is(judgeHello(Uint8Array.of(2, 7, 7, 7)).kind, 'other-version', 'whatever it says after its version')
  for (const garbage of [[], [0], [1, 0]]) t.is(judgeHello(Uint8Array.from(garbage)).kind, 'garbage')
})
