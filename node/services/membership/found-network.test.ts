import test from 'ava'
import { createSeededRandom, silentLog } from '../../../base/index.ts'
import { createBook, createMemoryDisk, mayDo, toHex } from '../../../crdt/index.ts'
import { foundNetwork } from './found-network.ts'
import { powers, signerNamed, startMs } from './membership-scene.contract.ts'

const found = (seed: number, trustedNowMs: number | undefined = startMs) =>
  foundNetwork({
    random: createSeededRandom(seed),
    powers,
    tower: signerNamed('tower'),
    towerName: 'tower',
    trustedNowMs,
  })

test('a book believes all of a new network, whatever order its records come in', async (t) => {
  const founded = found(1)
  for (const records of [founded.records, founded.records.toReversed()]) {
    const store = createMemoryDisk().store()
    await store.open()
    const book = createBook({ store, powers, log: silentLog, networkId: founded.networkId })
    await book.open()
    const results = await book.take(records)
    t.deepEqual(new Set(results.map(({ kind }) => kind)), new Set(['new']))
    t.is(book.networkId(), founded.networkId)
    t.deepEqual([...(book.ownerAt('/', 'zone')?.keys.keys() ?? [])], [signerNamed('tower').keyId])
    t.deepEqual(
      book.tenants().map(({ id }) => id),
      [founded.tenant.id],
    )
    t.like(book.delegationsOf(founded.tenant.id)[0]?.body, { scope: '/', isGranted: true })
    t.is(book.beacon()?.timeMs, startMs)
    const certificate = book.certificateOf(signerNamed('tower').keyId)?.body
    t.like(certificate, { host: 'tower', role: 'tower', scope: '/' })
    const standing = { certificate: certificate!, keyId: '', isBlocked: false, isSuperseded: false }
    t.true(mayDo(standing, 'admit', startMs + 1).ok)
  }
})

test('the same chance founds the same network, another chance another one', (t) => {
  t.deepEqual(found(1), found(1))
  t.not(found(1).networkId, found(2).networkId)
  const { rootSeed, beaconSeed, tenant } = found(1)
  t.is(new Set([rootSeed, beaconSeed, tenant.seed].map(toHex)).size, 3, 'three keys, none twice')
})
