import test from 'ava'
import { createMemoryDisk, type Store, type StoreChange } from '../../../crdt/index.ts'
import { createPrefixedStore } from './prefixed-store.ts'

const put = (key: string, text: string): StoreChange => ({ kind: 'put', key, value: new TextEncoder().encode(text) })
const list = async (store: Store, range: Parameters<Store['scan']>[0]) => {
  const lines: string[] = []
  for await (const { key, value } of store.scan(range)) lines.push(`${key}=${new TextDecoder().decode(value)}`)
  return lines
}

test('two stores in one see their own keys alone', async (t) => {
  const whole = createMemoryDisk().store()
  await whole.open()
  const [one, two] = [createPrefixedStore(whole, '1/'), createPrefixedStore(whole, '2/')]
  await one.write([put('a', '1a'), put('b', '1b'), put('ba', '1ba')], { sync: true })
  await two.write([put('a', '2a'), put('c', '2c')], { sync: false })
  await two.write([{ kind: 'delete', key: 'b' }], { sync: true })
  t.deepEqual(await list(one, { prefix: '' }), ['a=1a', 'b=1b', 'ba=1ba'])
  t.deepEqual(await list(one, { prefix: 'b', after: 'b' }), ['ba=1ba'])
  t.deepEqual(await list(one, { prefix: '', limit: 1 }), ['a=1a'])
  t.deepEqual(await list(two, { prefix: '' }), ['a=2a', 'c=2c'])
  t.is(await two.get('b'), undefined)
  t.is(new TextDecoder().decode(await one.get('b')), '1b')
})
