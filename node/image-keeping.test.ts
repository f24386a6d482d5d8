import test from 'ava'
import { rememberPrevious, spareImages } from './image-keeping.ts'
import type { SiteIntent } from './services/deployments/index.ts'

const intent = (...applications: [name: string, revision: string, ...images: string[]][]): SiteIntent =>
  ({
    site: 's',
    order: 1,
    place: { site: 's', scope: '/s', labels: {}, hosts: [] },
    applications: applications.map(([application, revision, ...names]) => ({
      application,
      revision,
      phase: revision === 'retired' ? 'retired' : 'run',
      images: names.map((name) => ({ name, digest: '', archive: '' })),
    })),
  }) as unknown as SiteIntent

test('the revision before keeps its images for a rollback, the one before that does not', (t) => {
  const one = intent(['shop', 'a', 'shop:1'])
  const two = intent(['shop', 'b', 'shop:2'])
  const three = intent(['shop', 'c', 'shop:3'])
  const afterTwo = rememberPrevious(rememberPrevious({}, undefined, one), one, two)
  t.deepEqual(spareImages(['shop:1', 'shop:2'], two, afterTwo), [])
  const afterThree = rememberPrevious(afterTwo, two, three)
  t.deepEqual(spareImages(['shop:1', 'shop:2', 'shop:3'], three, afterThree), ['shop:1'])
})

test('an intent that changes nothing of an application forgets nothing of it', (t) => {
  const before = intent(['shop', 'b', 'shop:2'])
  const after = intent(['shop', 'b', 'shop:2'], ['till', 'x', 'till:1'])
  t.deepEqual(rememberPrevious({ shop: ['shop:1'] }, before, after), { shop: ['shop:1'] })
})

test('a retired application keeps its images until nobody names it', (t) => {
  const before = intent(['shop', 'a', 'shop:1'])
  const retired = intent(['shop', 'retired'])
  const kept = rememberPrevious({}, before, retired)
  t.deepEqual(spareImages(['shop:1'], retired, kept), [])
  const gone = intent()
  t.deepEqual(spareImages(['shop:1'], gone, rememberPrevious(kept, retired, gone)), ['shop:1'])
})

test('an image that two applications share stays while one of them needs it', (t) => {
  const both = intent(['a', '1', 'base:1'], ['b', '1', 'base:1'])
  const one = intent(['a', '2', 'a:2'], ['b', '1', 'base:1'])
  const later = intent(['a', '3', 'a:3'], ['b', '1', 'base:1'])
  const kept = rememberPrevious(rememberPrevious({}, both, one), one, later)
  t.deepEqual(spareImages(['a:2', 'a:3', 'base:1', 'old:1'], later, kept), ['old:1'])
})

test('before anything was accepted nothing is spare', (t) => {
  t.deepEqual(spareImages(['x:1'], undefined, {}), [])
})
