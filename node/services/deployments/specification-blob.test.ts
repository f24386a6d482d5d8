import { createHash } from 'node:crypto'
import test from 'ava'
import fc from 'fast-check'
import { canonicalJson } from '../../../base/index.ts'
import { matchesGolden } from './golden-text.contract.ts'
import { revisionOf } from './revision.ts'
import { sampleApplication, sampleDigest } from './sample-config.ts'
import { maxSpecificationBytes, readSpecification, writeSpecification } from './specification-blob.ts'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const application = sampleApplication(
  { version: '1' },
  { volumes: [{ name: 'pages', 'config-map': [{ name: 'index.html', data: 'grüße' }] }] },
  { memory: '64MiB', cpus: '0.5', mounts: [{ 'volume-name': 'pages', 'mount-path': '/www' }] },
)
const images = [{ name: 'demo/shop:1', digest: sampleDigest(), archive: sampleDigest('b') }]
const whole = { application, images, salt: 'salt' }
const bytes = writeSpecification(whole)

const read = (text: string | Uint8Array, revision?: string): string => {
  const given = typeof text === 'string' ? Buffer.from(text) : text
  const answer = readSpecification(given, revision ?? sha(given), hash)
  return answer.ok ? 'ok' : answer.refusal.code
}
const changed = (fields: Record<string, unknown>) =>
  canonicalJson({ _v: 1, application, images, salt: 'salt', ...fields })

test('a specification travels as the bytes its revision is the hash of', (t) => {
  t.is(sha(bytes), revisionOf(application, images, { salt: 'salt', hash }))
  t.deepEqual(readSpecification(bytes, sha(bytes), hash), { ok: true, application, images })
  matchesGolden(t, 'specification-blob.1.txt', Buffer.from(bytes).toString())
})

test('images are sorted, whatever order they were pinned in', (t) => {
  const two = sampleApplication(
    {},
    {
      containers: [
        { name: 'a', image: 'demo/b' },
        { name: 'b', image: 'demo/a' },
      ],
    },
  )
  const pin = (name: string) => ({ name, digest: sampleDigest(), archive: sampleDigest('b') })
  const [one, other] = [
    ['demo/a', 'demo/b'],
    ['demo/b', 'demo/a'],
  ].map((names) => writeSpecification({ application: two, images: names.map(pin), salt: 's' }))
  t.deepEqual(one, other)
})

test('bytes that are not those of the revision are refused before they are read', (t) => {
  t.is(read(bytes, 'ab'.repeat(32)), 'wrong-hash')
  t.is(read(Uint8Array.of(0xff, 0xfe)), 'wrong-hash')
  t.is(read(Buffer.from(`\ufeff${Buffer.from(bytes).toString()}`)), 'bad-specification')
  t.is(read(new Uint8Array(maxSpecificationBytes + 1)), 'too-long')
})

test('a newer format is refused in words, even where nothing else can be read', (t) => {
  t.is(read('{"_v":2}'), 'newer-format')
  const newer = Buffer.from(changed({ _v: 7, application: { name: 'Ü' } }))
  const answer = readSpecification(newer, sha(newer), hash)
  t.regex(answer.ok ? '' : answer.refusal.message, /format 7: update this node/)
})

test('what is no specification of ours is refused, with the words of the specification where it is at fault', (t) => {
  for (const text of ['', 'null', '[]', '{}', '{"_v":1}', '['.repeat(100_000), changed({ salt: 1 })])
    t.is(read(text), 'bad-specification', text.slice(0, 40))
  t.is(read(changed({ application: { ...application, replicas: 1 } })), 'bad-specification')
  const odd = Buffer.from(changed({ application: { name: 'shop' } }))
  const answer = readSpecification(odd, sha(odd), hash)
  t.regex(answer.ok ? '' : answer.refusal.message, /services/)
})

test('one specification has one form', (t) => {
  const text = Buffer.from(bytes).toString()
  t.is(read(` ${text}`), 'bad-specification')
  t.is(read(text.replace('{"_v":1', '{"_v":1,"_v":1')), 'bad-specification')
  t.is(read(text.replace('"cpus":0.5', '"cpus":"0.5"')), 'bad-specification')
  t.is(read(text.replace('{"_v":1', '{"__proto__":{"a":1},"_v":1')), 'bad-specification')
  t.is(read(changed({ note: 'a scalar of a later release' })), 'ok')
  t.is(read(changed({ later: { a: 1 } })), 'bad-specification')
})

test('every image is pinned once, and no other', (t) => {
  const [image] = images
  t.is(read(changed({ images: [] })), 'bad-specification')
  t.is(read(changed({ images: [image, image] })), 'bad-specification')
  t.is(read(changed({ images: [{ ...image, name: 'demo/other:1' }] })), 'bad-specification')
  t.is(read(changed({ images: [{ ...image, archive: 'elsewhere' }] })), 'bad-specification')
})

test('flipped and cut bytes never pass and never throw', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(bytes.length - 1),
        (at, by, end) => {
          const flipped = Uint8Array.from(bytes)
          flipped[at] = (flipped[at] ?? 0) ^ by
          // Under the hash of the bytes as they should be; a peer that names the bytes it sends is answered too.
          const refused =
            read(flipped, sha(bytes)) === 'wrong-hash' && read(bytes.slice(0, end), sha(bytes)) === 'wrong-hash'
          return refused && typeof read(flipped) === 'string'
        },
      ),
    ),
  )
})

test('more than 4 MiB is written for nobody', (t) => {
  const large = { ...application, labels: { big: 'x'.repeat(maxSpecificationBytes) } }
  t.throws(() => writeSpecification({ ...whole, application: large }), {
    instanceOf: RangeError,
    message: /at most 4 MiB/,
  })
})
