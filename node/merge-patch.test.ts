import test from 'ava'
import { mergePatch } from './merge-patch.ts'

test('maps are merged deeply, null takes a field away, all else replaces', (t) => {
  const value = { name: 'shop', labels: { a: '1', b: '2' }, services: [{ name: 'web' }, { name: 'till' }] }
  t.deepEqual(mergePatch(value, { labels: { b: null, c: '3' }, services: [{ name: 'web' }], version: '2' }), {
    name: 'shop',
    labels: { a: '1', c: '3' },
    services: [{ name: 'web' }],
    version: '2',
  })
  t.deepEqual(value.labels, { a: '1', b: '2' })
})

// Cases of RFC 7396, appendix A, of those whose target and patch are maps.
test('the cases of the RFC come out as it says', (t) => {
  t.deepEqual(mergePatch({ a: 'b' }, { a: 'c' }), { a: 'c' })
  t.deepEqual(mergePatch({ a: 'b', b: 'c' }, { a: null }), { b: 'c' })
  t.deepEqual(mergePatch({ a: ['b'] }, { a: 'c' }), { a: 'c' })
  t.deepEqual(mergePatch({ a: { b: 'c' } }, { a: { b: 'd', c: null } }), { a: { b: 'd' } })
  t.deepEqual(mergePatch({ a: [{ b: 'c' }] }, { a: [1] }), { a: [1] })
  t.deepEqual(mergePatch({ e: null }, { a: 1 }), { e: null, a: 1 })
  t.deepEqual(mergePatch({}, { a: { bb: { ccc: null } } }), { a: { bb: {} } })
})

test('a patch cannot reach the prototype of anything', (t) => {
  const patched = mergePatch({}, JSON.parse('{"__proto__": {"polluted": true}}') as Record<string, unknown>)
  t.deepEqual(Object.keys(patched), ['__proto__'])
  t.false('polluted' in {})
})
