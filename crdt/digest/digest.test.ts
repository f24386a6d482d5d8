import { readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { nodeHash } from '../authority/index.ts'
import {
  compareDigest,
  createDigest,
  type Digest,
  type DigestDocument,
  decodeDigestMessage,
  digestLimits,
  encodeDigestMessage,
  leafOf,
  rangeCount,
  rootMessage,
} from './index.ts'

const context = { networkId: 'ab'.repeat(32), scope: '/de', audience: '/' }
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((found) => Buffer.from(found).toString('hex'))
const documents: fc.Arbitrary<DigestDocument> = fc.record({
  documentId: hex(16),
  epoch: fc.integer({ min: 1, max: 3 }),
  heads: fc.array(hex(32), { maxLength: 3 }),
  fence: fc.record({ generation: fc.integer({ min: 1, max: 3 }), n: fc.maxSafeNat() }),
})
const digestOf = (held: readonly DigestDocument[], of = context): Digest => {
  const digest = createDigest(of, nodeHash)
  for (const document of held) digest.put(document)
  return digest
}
const distinct = (found: readonly DigestDocument[]) => [...new Map(found.map((one) => [one.documentId, one])).values()]

test('equal documents give equal digests whatever the order, the detours and the repeats', (t) => {
  fc.assert(
    fc.property(
      fc.array(documents, { maxLength: 40 }),
      fc.array(documents),
      fc.infiniteStream(fc.nat()),
      (held, gone, seeds) => {
        const last = distinct(held)
        const others = gone.filter(({ documentId }) => last.every((one) => one.documentId !== documentId))
        const shuffled = last.map((one) => ({ one, rank: seeds.next().value })).toSorted((a, b) => a.rank - b.rank)
        const walked = digestOf([...others, ...shuffled.map(({ one }) => ({ ...one, epoch: one.epoch + 1 }))])
        walked.root()
        for (const { documentId } of others) walked.remove(documentId)
        for (const { one } of shuffled) walked.put({ ...one, heads: one.heads.toReversed() })
        return walked.root() === digestOf(last).root() && walked.size() === last.length
      },
    ),
  )
  t.pass()
})

test('any difference in a document, its heads, its epoch or its fence makes the digests differ', (t) => {
  fc.assert(
    fc.property(fc.array(documents, { minLength: 1, maxLength: 20 }), fc.nat(), fc.nat(4), (held, pick, kind) => {
      const all = distinct(held)
      const one = all[pick % all.length]!
      const other = [
        { ...one, epoch: one.epoch + 1 },
        { ...one, heads: [...one.heads, 'ff'.repeat(32)] },
        { ...one, fence: { ...one.fence, n: one.fence.n + (one.fence.n === Number.MAX_SAFE_INTEGER ? -1 : 1) } },
        { ...one, fence: { ...one.fence, generation: one.fence.generation + 1 } },
      ][kind]
      const without = all.filter((document) => document !== one)
      return digestOf(other === undefined ? without : [...without, other]).root() !== digestOf(all).root()
    }),
  )
  t.pass()
})

/** Lets two ends talk in bytes until they are silent. */
const meet = (a: Digest, b: Digest) => {
  const ends = [a, b]
  let sent: { readonly to: number; readonly bytes: Uint8Array }[] = [
    { to: 1, bytes: encodeDigestMessage(rootMessage(a)) },
  ]
  const found = new Set<string>()
  const log: number[] = []
  while (sent.length > 0) {
    const next: typeof sent = []
    for (const { to, bytes } of sent) {
      log.push(bytes.length)
      const read = decodeDigestMessage(bytes)
      if (!read.ok) throw new Error(read.refusal.message)
      const { replies, differing } = compareDigest(ends[to]!, read.message)
      for (const id of differing) found.add(id)
      next.push(...replies.map((reply) => ({ to: 1 - to, bytes: encodeDigestMessage(reply) })))
    }
    sent = next
  }
  return { differing: [...found].toSorted(), sizes: log }
}

test('two ends find exactly what differs', (t) => {
  fc.assert(
    fc.property(
      fc.array(documents, { maxLength: 30 }),
      fc.array(documents, { maxLength: 5 }),
      fc.array(documents, { maxLength: 5 }),
      (both, onlyA, onlyB) => {
        const a = distinct([...both, ...onlyA])
        const b = distinct([...both, ...onlyB])
        const leaf = (held: readonly DigestDocument[]) =>
          new Map(held.map((one) => [one.documentId, leafOf(one, nodeHash)]))
        const [left, right] = [leaf(a), leaf(b)]
        const expected = [...new Set([...left.keys(), ...right.keys()])].filter((id) => left.get(id) !== right.get(id))
        return meet(digestOf(a), digestOf(b)).differing.join() === expected.toSorted().join()
      },
    ),
  )
  t.pass()
})

test('ends that agree send 34 bytes, however many documents there are', (t) => {
  const many = Array.from({ length: 2_000 }, (_, at) => ({
    documentId: Buffer.from(nodeHash.sha256(Buffer.from(`${at}`)).subarray(0, 16)).toString('hex'),
    epoch: 1,
    heads: [],
    fence: { generation: 1, n: at },
  }))
  t.deepEqual(meet(digestOf(many), digestOf(many)), { differing: [], sizes: [34] })
  t.deepEqual(meet(digestOf(many), digestOf(many.slice(1))).sizes.slice(0, 2), [34, 2 + 32 + 32 * rangeCount])
})

test('another network, scope or audience is another digest even when nothing is held', (t) => {
  const roots = [
    context,
    { ...context, scope: '/fr' },
    { ...context, audience: '/de' },
    { ...context, networkId: '00'.repeat(32) },
  ]
  t.is(new Set(roots.map((of) => digestOf([], of).root())).size, 4)
})

test('a message has one form, and what is none is refused without an error', (t) => {
  const code = (bytes: Uint8Array) => {
    const read = decodeDigestMessage(bytes)
    return read.ok ? 'read' : read.refusal.code
  }
  t.is(code(new Uint8Array()), 'bad-message')
  t.is(code(Uint8Array.of(2, 0)), 'newer-format')
  t.is(code(Uint8Array.of(1, 9)), 'bad-message')
  t.is(code(Uint8Array.of(1, 0, 5)), 'bad-length')
  t.is(code(Uint8Array.of(1, 1, ...new Uint8Array(32).fill(255), ...new Uint8Array(32 * 255))), 'bad-length')
  t.is(code(Uint8Array.of(1, 2)), 'bad-length')
  t.is(code(Uint8Array.of(1, 2, 7, ...new Uint8Array(48))), 'bad-message')
  const huge = new Uint8Array(3 + 48 * (digestLimits.entries + 1))
  huge.set([1, 2])
  t.is(code(huge), 'bad-length')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const read = decodeDigestMessage(bytes)
      return !read.ok || Buffer.compare(encodeDigestMessage(read.message), bytes) === 0
    }),
  )
})

test('the fixture of format 1 decodes and encodes to the same bytes', (t) => {
  const digest = digestOf([
    {
      documentId: '07'.repeat(16),
      epoch: 1,
      heads: ['11'.repeat(32), '22'.repeat(32)],
      fence: { generation: 1, n: 5 },
    },
    { documentId: '70'.repeat(16), epoch: 2, heads: [], fence: { generation: 3, n: 0 } },
  ])
  const messages = [
    rootMessage(digest),
    { kind: 'ranges', ranges: digest.ranges() } as const,
    { kind: 'open', range: 7, entries: digest.open(7) } as const,
  ]
  const file = new URL('../fixtures/digest-messages.1.hex', import.meta.url)
  const written = `${messages.map((message) => Buffer.from(encodeDigestMessage(message)).toString('hex')).join('\n')}\n`
  if (process.env.GOLDEN === 'write') writeFileSync(file, written)
  const kept = readFileSync(file, 'utf8')
  t.is(written, kept)
  for (const line of kept.trimEnd().split('\n')) {
    const read = decodeDigestMessage(Buffer.from(line, 'hex'))
    t.is(read.ok && Buffer.from(encodeDigestMessage(read.message)).toString('hex'), line)
  }
})
