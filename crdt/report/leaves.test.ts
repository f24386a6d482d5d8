import test from 'ava'
import fc from 'fast-check'
import { fromHex, nodeHash, signedMessage, toHex } from '../authority/index.ts'
import { checkLeaf, type Leaf, type LeafProof, leafLimits, leavesRoot, proveLeaf } from './leaves.ts'

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((drawn) => Buffer.from(drawn).toString('hex'))
const leaf: fc.Arbitrary<Leaf> = fc.record({
  kind: fc.constantFrom('host', 'zone'),
  name: fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.isWellFormed()),
  salt: hex(16),
  report: hex(32),
})
const leaves = fc.uniqueArray(leaf, {
  minLength: 1,
  maxLength: 40,
  selector: ({ kind, name }) => `${kind} ${name}`,
})
const numbered = (count: number): readonly Leaf[] =>
  Array.from({ length: count }, (_, at) => ({
    kind: 'host',
    name: `n${at}`,
    salt: at.toString(16).padStart(32, '0'),
    report: 'ab'.repeat(32),
  }))
const rollUpOf = (all: readonly Leaf[]) => ({ leaves: all.length, root: leavesRoot(all, nodeHash) })
const proofOf = (all: readonly Leaf[], one: Leaf): LeafProof => {
  const proof = proveLeaf(all, one, nodeHash)
  if (proof === undefined) throw new RangeError('no proof')
  return proof
}
const sha256 = (tag: string, ...parts: readonly Uint8Array[]) =>
  nodeHash.sha256(signedMessage(tag, Buffer.concat(parts)))

test('any leaf proves, whatever their number', (t) => {
  fc.assert(
    fc.property(leaves, (all) => {
      const rollUp = rollUpOf(all)
      for (const one of all) t.deepEqual(checkLeaf(rollUp, proofOf(all, one), nodeHash), one)
    }),
    { numRuns: 25 },
  )
  for (const count of [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 33]) {
    const all = numbered(count)
    for (const one of all) t.truthy(checkLeaf(rollUpOf(all), proofOf(all, one), nodeHash), `${one.name} of ${count}`)
  }
})

test('the order of the leaves leaves no trace', (t) => {
  fc.assert(
    fc.property(leaves, fc.integer(), (all, by) => {
      const turned = all.toSorted((a, b) => (a.salt < b.salt ? -1 : 1))
      const cut = Math.abs(by) % all.length
      const shuffled = [...all.slice(cut), ...all.slice(0, cut)]
      t.is(leavesRoot(shuffled, nodeHash), leavesRoot(turned, nodeHash))
    }),
  )
})

test('no leaf that was not counted proves: not another report, salt, name or kind, not at another place', (t) => {
  fc.assert(
    fc.property(leaves, leaf, fc.nat(), (all, other, drawn) => {
      const rollUp = rollUpOf(all)
      const one = all[drawn % all.length]!
      const proof = proofOf(all, one)
      const changes: readonly Partial<Leaf>[] = [
        { report: other.report },
        { salt: other.salt },
        { name: `${one.name}x` },
        { kind: one.kind === 'host' ? 'zone' : 'host' },
      ]
      for (const change of changes) {
        const forged = { ...one, ...change }
        if (JSON.stringify(forged) === JSON.stringify(one)) continue
        t.is(checkLeaf(rollUp, { ...proof, leaf: forged }, nodeHash), undefined)
      }
      for (let index = 0; index <= all.length; index++)
        if (index !== proof.index) t.is(checkLeaf(rollUp, { ...proof, index }, nodeHash), undefined)
      t.is(checkLeaf(rollUp, { ...proof, path: [...proof.path, other.report] }, nodeHash), undefined)
      if (proof.path.length > 0) t.is(checkLeaf(rollUp, { ...proof, path: proof.path.slice(1) }, nodeHash), undefined)
    }),
    { numRuns: 25 },
  )
})

test('an inner node is no leaf, and more leaves than were counted have another root', (t) => {
  const all = numbered(3)
  const four = [...all, all[2]!]
  t.throws(() => leavesRoot(four, nodeHash), { instanceOf: RangeError, message: /one leaf, not two/ })
  // The root of one number of leaves never stands for another: the path has to fit the number that was signed.
  const rollUp = rollUpOf(all)
  const accepted = [1, 2, 3, 4, 5].filter((count) =>
    all.every((one) => checkLeaf({ ...rollUp, leaves: count }, proofOf(all, one), nodeHash)),
  )
  t.deepEqual(accepted, [3])
})

test('the root is the tree of RFC 9162 over tagged hashes', (t) => {
  const all = numbered(3)
  const hashes = all
    .map(({ salt, name, report }) =>
      sha256('roll-up-leaf', fromHex(salt), Uint8Array.of(0, 0, name.length), Buffer.from(name), fromHex(report)),
    )
    .toSorted(Buffer.compare)
  const expected = sha256('roll-up-node', sha256('roll-up-node', hashes[0]!, hashes[1]!), hashes[2]!)
  t.is(leavesRoot(all, nodeHash), toHex(expected))
  t.is(leavesRoot(all.slice(0, 1), nodeHash)?.length, 64)
  t.is(leavesRoot([], nodeHash), null)
  t.is(proveLeaf(all, { kind: 'zone', name: 'n1' }, nodeHash), undefined)
})

test('a proof of any shape is refused without an error', (t) => {
  const all = numbered(5)
  const [rollUp, proof] = [rollUpOf(all), proofOf(all, all[1]!)]
  const shapes: readonly unknown[] = [
    undefined,
    null,
    {},
    { ...proof, index: -1 },
    { ...proof, index: 1.5 },
    { ...proof, path: proof.path.map((step) => [step]) },
    { ...proof, path: Array.from({ length: 17 }, () => 'ab'.repeat(32)) },
    { ...proof, leaf: { ...proof.leaf, salt: [proof.leaf.salt] } },
    { ...proof, leaf: { ...proof.leaf, name: 'x'.repeat(leafLimits.nameBytes + 1) } },
    { ...proof, more: 1 },
  ]
  for (const shape of shapes) t.is(checkLeaf(rollUp, shape, nodeHash), undefined, JSON.stringify(shape)?.slice(0, 80))
  fc.assert(fc.property(fc.anything(), (drawn) => checkLeaf(rollUp, drawn, nodeHash) === undefined))
  t.is(checkLeaf({ leaves: 0, root: null }, proof, nodeHash), undefined)
})

test('leaves beyond the bound or out of shape are a mistake of the caller', (t) => {
  t.throws(() => leavesRoot(numbered(leafLimits.leaves + 1), nodeHash), { message: /at most 65536/ })
  t.throws(() => leavesRoot([{ ...numbered(1)[0]!, salt: 'aa' }], nodeHash), { message: /a salt of 16 bytes/ })
})
