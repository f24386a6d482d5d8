import { deflateRawSync, gzipSync } from 'node:zlib'
import test from 'ava'
import { type Canary, createSearch, drawWord } from './canaries.ts'

const canary = (name = drawWord()): Canary => ({ zone: '/south', kind: 'names', name, bytes: Buffer.from(name) })
const capture = (messages: readonly Uint8Array[]) => ({
  peer: 'aa',
  direction: 'to the tower' as const,
  purpose: 'reports',
  messages: [...messages],
})

/** A change as Automerge packs one over its bound: magic, checksum, kind 2, length, deflated columns. */
const deflatedChange = (columns: Uint8Array): Buffer => {
  const packed = deflateRawSync(columns)
  const length: number[] = []
  for (let rest = packed.length; rest > 0 || length.length === 0; rest >>= 7)
    length.push((rest & 127) | (rest > 127 ? 128 : 0))
  return Buffer.concat([Buffer.from('856f4a83', 'hex'), Buffer.alloc(4), Buffer.from([2, ...length]), packed])
}

const packed: Readonly<Record<string, (text: string) => Uint8Array>> = {
  'as it is': (text) => Buffer.from(text),
  'in base64 within JSON': (text) => Buffer.from(JSON.stringify({ report: Buffer.from(text).toString('base64') })),
  'in hexadecimal': (text) => Buffer.from(Buffer.from(text).toString('hex')),
  'in gzip': (text) => gzipSync(text),
  'in a deflated change': (text) => deflatedChange(Buffer.from(text.repeat(100))),
}

for (const [how, pack] of Object.entries(packed))
  test(`a canary is found ${how}`, (t) => {
    const planted = canary()
    const search = createSearch([planted, canary()])
    search.links([capture([pack(`before ${planted.name} after`)])])
    const { sightings } = search.found()
    t.true(sightings.length > 0)
    t.true(sightings.every((one) => one.canary === planted && one.where === 'reports, to the tower'))
  })

test('a canary that was cut in two by the parts of a document is found', (t) => {
  const planted = canary()
  const search = createSearch([planted])
  const [head, tail] = [planted.name.slice(0, 9), planted.name.slice(9)]
  search.links([capture([Buffer.from(`\0${head}`), Buffer.from(`\x01${tail}`)])])
  t.true(search.found().sightings.length > 0)
})

test('what was never there is not found', (t) => {
  const search = createSearch([canary()])
  search.links([capture([Buffer.from(JSON.stringify({ said: drawWord() }))])])
  t.deepEqual(search.found().sightings, [])
  t.true(search.found().bytes > 0)
})
