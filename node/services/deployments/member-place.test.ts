import test from 'ava'
import { canonicalJson } from '../../../base/index.ts'
import { placeOfMember } from './member-place.ts'

const value = (fields: object) => ({ value: canonicalJson({ _v: 1, ...fields }) })
const site = value({ id: '0a'.repeat(16), name: 'fulda', labels: { 'system/type': 'edge' } })
const host = (fields: object = {}) => value({ client: 1, hostId: null, key: null, labels: {}, ...fields })
const at = (lane: Readonly<Record<string, readonly { value: string }[]>>) =>
  placeOfMember(new Map(Object.entries(lane)), '/de/fulda')

test('a site is what its member lane says, its hosts in the order people count', (t) => {
  t.deepEqual(at({ 'host/h10': [host()], 'host/h2': [host({ labels: { rack: 'a' } })], site: [site] }), {
    site: 'fulda',
    scope: '/de/fulda',
    labels: { 'system/type': 'edge' },
    hosts: [
      { name: 'h2', labels: { rack: 'a' } },
      { name: 'h10', labels: {} },
    ],
  })
})

test('a host that is expected takes its share before it is enrolled; one that was removed takes none', (t) => {
  const place = at({ site: [site], 'host/h1': [host()], 'host/h2': [host({ removed: true })] })
  t.deepEqual(
    place?.hosts.map(({ name }) => name),
    ['h1'],
  )
})

test('of concurrent values everyone takes the same, and what cannot be read is passed over', (t) => {
  const two = [host({ labels: { rack: 'a' } }), host({ labels: { rack: 'b' } })]
  t.deepEqual(at({ site: [site], 'host/h1': two }), at({ site: [site], 'host/h1': two.toReversed() }))
  const odd = [{ value: '{"_v":2}' }, { value: 'no JSON' }]
  t.deepEqual(at({ site: [...odd, site], 'host/h1': odd, 'later/x': odd })?.hosts, [])
  t.is(at({ site: odd }), undefined)
  t.is(at({}), undefined)
})
