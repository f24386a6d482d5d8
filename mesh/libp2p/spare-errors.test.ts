import { LengthPrefixedDecoder } from '@libp2p/utils'
import test from 'ava'
import { spareErrors } from './spare-errors.ts'

/** As libp2p's Noise has it. */
const createScene = () => {
  let thrown = 0
  const lengthDecoder = (bytes: { readonly byteLength: number; get?(at: number): number }) => {
    if (bytes.byteLength >= 2) return (bytes.get?.(0) ?? 0) * 256 + (bytes.get?.(1) ?? 0)
    thrown += 1
    throw new RangeError('short')
  }
  const decoder = new LengthPrefixedDecoder({ lengthDecoder: lengthDecoder as never, encodingLength: () => 2 })
  const read = (...bytes: readonly number[]) =>
    [...decoder.decode(Uint8Array.from(bytes))].map((message) => [...message.subarray()])
  return { connection: { decoder }, read, thrown: () => thrown }
}

test('messages are found as before, however their bytes come, and no error is made', (t) => {
  const scene = createScene()
  spareErrors(scene as never)
  t.deepEqual(scene.read(0, 1, 7), [[7]])
  t.deepEqual(scene.read(0), [])
  t.deepEqual(scene.read(2, 8), [])
  t.deepEqual(scene.read(9, 0, 1, 10, 0), [[8, 9], [10]])
  t.deepEqual(scene.read(1, 11), [[11]])
  t.is(scene.thrown(), 0)
})

test('without it an error is made for each', (t) => {
  const scene = createScene()
  t.deepEqual(scene.read(0, 1, 7), [[7]])
  t.is(scene.thrown(), 1)
})

test('a connection that is made otherwise is not taken for one that can be spared', (t) => {
  t.throws(() => spareErrors({ connection: {} } as never), { message: /not what the mesh was made for/ })
})
