import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { createSeededRandom } from '../../base/index.ts'
import { openHome } from './home.ts'
import { inParallel, wavesOf } from './start-order.ts'

const node = (name: string, ...parents: string[]) => ({ name, parents })
const names = (waves: readonly (readonly { readonly name: string }[])[]) =>
  waves.map((wave) => wave.map(({ name }) => name).join())

test('each wave needs only those before it; a parent that is not started is not waited for', (t) => {
  const tree = [node('tower'), node('de', 'tower'), node('shop', 'tower'), node('hesse', 'de'), node('kassel', 'hesse')]
  t.deepEqual(names(wavesOf(tree)), ['tower', 'de,shop', 'hesse', 'kassel'])
  t.deepEqual(names(wavesOf(tree.toReversed())), ['tower', 'shop,de', 'hesse', 'kassel'])
  t.deepEqual(names(wavesOf([node('kassel', 'hesse')])), ['kassel'])
  t.deepEqual(wavesOf([]), [])
})

test('work is done so many at a time, and after a failure nothing more is begun', async (t) => {
  const begun: number[] = []
  let [running, most] = [0, 0]
  const work = async (item: number) => {
    begun.push(item)
    running += 1
    most = Math.max(most, running)
    await Promise.resolve()
    running -= 1
    if (item === 3) throw new RangeError('three')
  }
  await inParallel([0, 1, 2], 2, work)
  t.deepEqual([begun, most], [[0, 1, 2], 2])
  await t.throwsAsync(inParallel([3, 4, 5, 6, 7], 2, work), { message: 'three' })
  t.deepEqual(begun.slice(3), [3, 4])
  await inParallel([], 2, work)
})

test('a tree of more than 30 nodes is refused before anything is made, saying what to use instead', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-home-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const home = join(folder, 'home')
  const examplesDir = join(import.meta.dirname, '..', '..', 'topologies', 'examples')
  const powers = { random: createSeededRandom(1), examplesDir, exampleNames: () => [] }
  const open = (topology: string) => openHome(home, { topology, runtime: 'process' }, powers)
  const error = t.throws(() => open('retail-10k'), { code: 'too-many-nodes' })
  t.regex(error?.message ?? '', /has \d+ nodes, .* at most 30 on one machine: .*Nodes as services.*npm run simulate/)
  t.false(existsSync(home))
  t.is(open('federal').record.nodes.length, 28)
})
