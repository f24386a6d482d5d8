import test from 'ava'
import fc from 'fast-check'
import { createFrameQueue, roomBytes } from './frame-queue.ts'
import { type Frame, headBytes } from './frames.ts'
import { type Priority, priorities } from './mesh.ts'

const frame = (stream: number, bytes = 0): Frame => ({ kind: 'data', stream, payload: new Uint8Array(bytes) })

const drain = (queue: ReturnType<typeof createFrameQueue>) => {
  const out: number[] = []
  for (let next = queue.shift(); next; next = queue.shift()) out.push(next.stream)
  return out
}

test('control goes before events before bulk, each in its own order', (t) => {
  const queue = createFrameQueue()
  const pushed: readonly [number, Priority][] = [
    [1, 'bulk'],
    [2, 'events'],
    [3, 'bulk'],
    [4, 'control'],
    [5, 'events'],
    [6, 'control'],
  ]
  for (const [stream, priority] of pushed) queue.push(frame(stream), priority)
  t.deepEqual(drain(queue), [4, 6, 2, 5, 1, 3])
})

test('bulk gets a turn among control without end', (t) => {
  const queue = createFrameQueue()
  queue.push(frame(999), 'bulk')
  let before = 0
  for (queue.push(frame(1), 'control'); queue.shift()?.stream === 1; queue.push(frame(1), 'control')) before++
  t.is(before, 16)
})

test('a priority is full at its room, the others are not, and who waits is woken', async (t) => {
  const queue = createFrameQueue()
  while (!queue.room('bulk')) queue.push(frame(1, 64 * 1024), 'bulk')
  t.true(queue.sizeBytes() < roomBytes + 64 * 1024 + headBytes)
  t.is(queue.room('control'), undefined)
  const waiting = queue.room('bulk')
  queue.shift()
  await waiting
  t.is(queue.room('bulk'), undefined)
  while (!queue.room('bulk')) queue.push(frame(1, 64 * 1024), 'bulk')
  const given = queue.room('bulk')
  queue.clear()
  await given
  t.is(queue.sizeBytes(), 0)
  t.is(queue.shift(), undefined)
})

test('every frame comes out once, in the order of its priority, however pushes and shifts mix', (t) => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.constantFrom(...priorities)), { maxLength: 3000 }), (steps) => {
      const queue = createFrameQueue()
      const pushed = new Map<Priority, number[]>(priorities.map((priority) => [priority, []]))
      const out: number[] = []
      for (const [at, priority] of steps.entries()) {
        if (priority === null) {
          const next = queue.shift()
          if (next) out.push(next.stream)
          continue
        }
        pushed.get(priority)?.push(at)
        queue.push(frame(at, at % 50), priority)
      }
      out.push(...drain(queue))
      t.is(queue.sizeBytes(), 0)
      for (const [, streams] of pushed) {
        const known = new Set(streams)
        t.deepEqual(
          out.filter((stream) => known.has(stream)),
          streams,
        )
      }
    }),
    { numRuns: 30 },
  )
})
