import test from 'ava'
import { createManualClock, createSeededRandom, parseScopePath, silentLog, sleep } from '../../base/index.ts'
import { depositKind, nodeSealing, readRecord, toHex } from '../../crdt/index.ts'
import { systemClock } from '../powers/index.ts'
import type { SiteDeposits } from '../services/membership/index.ts'
import { readLeave } from '../services/siblings/index.ts'
import { until } from '../tree-scene.contract.ts'
import { createDepositLeaver } from './index.ts'
import { openDisk, powers, startSiblings } from './sibling-scene.contract.ts'

const south = parseScopePath('/south')
const sites = ['/south/s1', '/south/s2']

test('what is due is left once, a sibling that is stopped holds nobody up, and numbers go on above those it knows', async (t) => {
  t.timeout(60_000)
  const tree = await startSiblings(t)
  for (const name of ['s1-a', 's2-a', 'south-agg']) await tree.stop(name)
  const { store, book, documents, signer, networkId } = await openDisk(tree, 'south-agg')
  const [one = '', two = ''] = ['s1-a', 's2-a'].map((name) => tree.keys.get(name))
  const sealing = toHex(nodeSealing.reader(new Uint8Array(32).fill(1)).publicKey)
  const zone = book.ownerAt('/south', 'zone')?.id ?? ''
  const of = (reader: string, sibling: string, id: string): SiteDeposits => ({
    site: id.repeat(16),
    zone,
    readers: [{ key: reader, sealing }],
    siblings: [sibling],
  })
  // Other ids than the tree's, so that nothing of them was left before.
  const deposits = new Map([
    ['/south/s1', of(one, two, '0a')],
    ['/south/s2', of(two, one, '0b')],
  ])
  const clock = createManualClock()
  const told: string[] = []
  const stopped = new Set<string>()
  let known = 0
  const open = () =>
    createDepositLeaver({
      networkId,
      scope: south,
      signer,
      powers,
      sealing: nodeSealing,
      random: createSeededRandom(4),
      clock,
      log: silentLog,
      store,
      documents,
      book,
      membership: { depositsOf: (scope) => deposits.get(scope) },
      sites: () => sites,
      isLinked: () => true,
      tell: async (key, message, signal) => {
        const said = readLeave(message)
        if (said === undefined) throw new Error('no message of its kind')
        const name = key === one ? 's1' : 's2'
        if (stopped.has(name)) {
          told.push(`${name} does not answer`)
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('left'))))
        }
        if (said.kind === 'keep') {
          told.push(`${name} keeps ${said.readers.length}`)
          return { head: { v: 1, result: 'kept', number: 0 }, body: empty() }
        }
        const read = readRecord(depositKind, new Uint8Array(Buffer.from(said.record, 'base64')), powers)
        const number = read.ok ? read.record.body.number : 0
        const isOlder = number < known
        told.push(`${name} gets ${number}${isOlder ? ', too old' : ''}`)
        return { head: { v: 1, result: isOlder ? 'older' : 'kept', number: Math.max(number, known) }, body: empty() }
      },
    })
  const settled = async (count: number) => {
    await until(`${count} messages, not ${told.join()}`, () => (told.length >= count ? true : undefined))
    // Whatever else would be said now is said in these turns.
    await sleep(systemClock, 50)
    return told.splice(0).toSorted()
  }

  stopped.add('s2')
  const leaver = open()
  leaver.start()
  clock.advance(1_000)
  t.deepEqual(await settled(2), ['s1 gets 1', 's2 does not answer'])
  t.deepEqual(leaver.owed(), ['/south/s1'])
  stopped.delete('s2')
  clock.advance(5_000)
  t.deepEqual(await settled(2), ['s1 keeps 1', 's2 keeps 1'], 'it is left alone, and told what is not urgent')
  clock.advance(30_000)
  await sleep(systemClock, 50)
  clock.advance(1_000)
  t.deepEqual(await settled(1), ['s2 gets 1'])
  t.deepEqual(leaver.owed(), [])
  await leaver.stop()

  const again = open()
  again.start()
  clock.advance(1_000)
  t.deepEqual(await settled(2), ['s1 keeps 1', 's2 keeps 1'], 'nothing is left twice after a restart')
  await again.stop()

  // Its store forgot: siblings know higher numbers.
  known = 41
  await store.write(
    [...deposits.values()].map(({ site }) => ({ kind: 'delete', key: `deposited/${site}` }) as const),
    { sync: true },
  )
  const forgetful = open()
  forgetful.start()
  clock.advance(1_000)
  const words = await settled(6)
  t.deepEqual(
    words.filter((word) => word.includes('gets')),
    ['s1 gets 1, too old', 's1 gets 42', 's2 gets 1, too old', 's2 gets 42'],
  )
  await forgetful.stop()
})

const empty = async function* (): AsyncGenerator<Uint8Array> {}
