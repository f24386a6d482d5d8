import test from 'ava'
import { createSeededRandom, parseScopePath, silentLog } from '../base/index.ts'
import {
  createBook,
  createDocuments,
  createLaneReplica,
  createMemoryDisk,
  createNodeSignatures,
  keyListKind,
  type LaneName,
  nodeHash,
  rootKind,
  sealRecord,
  toHex,
} from '../crdt/index.ts'
import { createSealing } from './sealing.ts'

const powers = { signatures: createNodeSignatures(), hash: nodeHash }
const keyOf = (name: string) => powers.signatures.signer(nodeHash.sha256(Buffer.from(name)))
const [root, good, other, bad] = [keyOf('root'), keyOf('good'), keyOf('other'), keyOf('bad')]
const hexKey = ({ publicKey }: { readonly publicKey: Uint8Array }) => toHex(publicKey)
const lane: LaneName = { kind: 'member', scope: parseScopePath('/s') }

const records = (() => {
  const first = sealRecord(
    rootKind,
    { network: null, number: 1, previous: null, keys: [hexKey(root)], threshold: 1, beacon: null },
    [root],
    powers,
  )
  const list = (generation: number, keys: readonly (typeof good)[]) =>
    sealRecord(
      keyListKind,
      {
        network: first.id,
        owner: '0a'.repeat(16),
        role: 'zone',
        scope: '/',
        succession: 'granted',
        generation,
        previous: null,
        keys: keys.map(hexKey).toSorted(),
        threshold: 1,
      },
      [root],
      powers,
    )
  return { root: first, one: list(1, [good, other, bad]), two: list(2, [good, bad]) }
})()

/** A node that signs with one key of the zone, and a lane of it. */
const openNode = async () => {
  const store = createMemoryDisk().store()
  await store.open()
  const book = createBook({ store, powers, log: silentLog, networkId: records.root.id })
  await book.open()
  await book.take([records.root.bytes, records.one.bytes])
  const random = createSeededRandom(1)
  const documents = createDocuments({ store, networkId: () => records.root.id, powers, random, log: silentLog })
  await documents.open()
  const id = await documents.create(lane, book.ownerAt('/', 'zone')!, good)
  const sealing = createSealing({
    documents,
    book,
    powers,
    signers: () => [good],
    later: () => {},
    log: silentLog,
  })
  sealing.start()
  return { book, documents, id, sealing }
}

test('a key that is taken off the list, and one that signed twice, write no later epoch; what they left is said in words', async (t) => {
  const { book, documents, id, sealing } = await openNode()
  const epoch = documents.epochOf(id)!
  await documents.write([{ documentId: id, edit: () => new Map([['host/a', 'here']]) }], good)

  // One signs two changes with one number; the other writes while it is away.
  const twice = ['x', 'y'].map((value) => {
    const replica = createLaneReplica({ epoch, powers })
    const made = replica.author(new Map([['host/b', value]]), { signer: bad, incarnation: '0b'.repeat(16) })
    return made.ok ? made.envelopes[0]!.bytes : new Uint8Array()
  })
  const away = createLaneReplica({ epoch, powers })
  const late = away.author(new Map([['host/c', 'late']]), { signer: other, incarnation: '0c'.repeat(16) })
  await documents.take(id, twice, 'peer')
  await sealing.idle()
  t.is(documents.epochOf(id)?.epoch, 2)
  t.deepEqual([...documents.epochOf(id)!.place.writers.keys()].toSorted(), [good.keyId, other.keyId].toSorted())

  await book.take([records.two.bytes])
  await sealing.idle()
  t.is(documents.epochOf(id)?.epoch, 3)
  t.is(documents.epochOf(id)?.generation, 2)
  t.deepEqual([...documents.epochOf(id)!.place.writers.keys()], [good.keyId])
  await documents.take(id, late.ok ? late.envelopes.map(({ bytes }) => bytes) : [], 'peer')
  await sealing.idle()

  t.deepEqual([...(await documents.standing(id)).keys()], ['host/a'])
  const [count, ...named] = sealing.words()
  t.is(count, '3 changes of member/.s came too late for its seal: kept, not in force; write again what is still wanted')
  const lateWords = (key: string, what: string, why: string) =>
    `late in member/.s: the key ${key.slice(0, 16)} wrote ${what} in epoch 1 (change …); ${why}`
  const notCounted = lateWords(bad.keyId, 'host/b', 'it did not count when the epoch was sealed')
  const wordsOf = (lines: readonly string[]) => lines.map((line) => line.replace(/change [0-9a-f]{12}/, 'change …'))
  t.deepEqual(wordsOf(named.slice(0, -1)).toSorted(), [
    ...[notCounted, notCounted, lateWords(other.keyId, 'host/c', 'the epoch was sealed without it')].toSorted(),
  ])
  t.deepEqual(named.slice(-1), [
    `the key ${bad.keyId.slice(0, 16)} signed two changes with one number in member/.s, epoch 1: that epoch stays as it was sealed, and the key writes no later epoch`,
  ])
  t.deepEqual(wordsOf(sealing.about(['c', 'nobody'])), [
    lateWords(other.keyId, 'host/c', 'the epoch was sealed without it'),
  ])
  t.is(sealing.about(['c'], '/s').length, 1)
  t.deepEqual(sealing.about(['c'], '/other'), [])
  t.deepEqual(sealing.about([]), [])
  // Nothing more is to be sealed.
  sealing.start()
  await sealing.idle()
  t.is(documents.epochOf(id)?.epoch, 3)
  await sealing.stop()
})
