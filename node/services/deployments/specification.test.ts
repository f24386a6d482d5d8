import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { canonicalJson, InvalidInputError } from '../../../base/index.ts'
import { maxApplicationBytes, maxConfigFileBytes } from './check-application.ts'
import { matchesGolden } from './golden-text.contract.ts'
import { parseApplication, parseDeployment, parseDocuments } from './parse-documents.ts'

const folder = new URL('golden/specifications/', import.meta.url)

const refusal = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof InvalidInputError) return error.message
    throw error
  }
  return 'accepted'
}

const names = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -'.yaml'.length))

for (const name of names)
  test(`refuses ${name}.yaml in words that say where and what to write`, (t) => {
    const text = readFileSync(new URL(`${name}.yaml`, folder), 'utf8')
    const said = refusal(() => parseDocuments(text, `${name}.yaml`))
    t.not(said, 'accepted')
    matchesGolden(t, `specifications/${name}.txt`, said)
  })

test('refuses text that is not YAML with the line where it goes wrong', (t) => {
  const text = 'name: shop\nservices:\n  - name: web\n   containers: []\n'
  matchesGolden(
    t,
    'specifications/not-yaml.txt',
    refusal(() => parseDocuments(text, 'not-yaml.yaml')),
  )
})

const minimal = (container: object = {}, service: object = {}, application: object = {}) => ({
  name: 'shop',
  services: [{ name: 'web', containers: [{ name: 'web', image: 'demo/shop:1', ...container }], ...service }],
  ...application,
})

test('reads everything that is supported, YAML and JSON alike', (t) => {
  const text = readFileSync(new URL('golden/shop.yaml', import.meta.url), 'utf8')
  const documents = parseDocuments(text, 'shop.yaml')
  t.deepEqual(
    documents.map(({ kind, value }) => [kind, value.name]),
    [
      ['application', 'shop'],
      ['deployment', 'shop-large'],
    ],
  )
  for (const { kind, value } of documents) {
    const pretty = JSON.stringify(value, null, '\t')
    t.deepEqual(parseDocuments(pretty, 'shop.json'), [{ kind, value }] as never)
  }
})

test('takes both shapes of a config-map for the same', (t) => {
  const items = [{ name: 'a', data: 'x' }]
  const list = parseApplication(minimal({}, { volumes: [{ name: 'v', 'config-map': items }] }))
  const map = parseApplication(minimal({}, { volumes: [{ name: 'v', 'config-map': { items } }] }))
  t.is(canonicalJson(list), canonicalJson(map))
})

test('takes both shapes of all-sites for the same, and any version by default', (t) => {
  const text = parseDeployment({ name: 'd', application: 'shop', placement: 'all-sites' })
  const map = parseDeployment({ name: 'd', application: 'shop', placement: { 'all-sites': true } })
  t.deepEqual(text, map)
  t.is(text['application-version'], '*')
})

test('reads every image reference of the registry grammar that is meant, and refuses the others', (t) => {
  const digest = `sha256:${'a'.repeat(64)}`
  for (const image of [
    'shop',
    'demo/shop',
    'shop:1',
    'r.example:5000/a/b:1.0-x',
    `demo/shop@${digest}`,
    'localhost/shop_a__b',
  ])
    t.notThrows(() => parseApplication(minimal({ image })), image)
  for (const image of [
    '',
    ':1',
    'Shop',
    'shop:',
    'shop@sha256:abc',
    'a//b',
    'shop 1',
    '-shop',
    `shop:${'x'.repeat(129)}`,
  ])
    t.throws(() => parseApplication(minimal({ image })), { instanceOf: InvalidInputError }, image)
})

test('refuses an application that is too large to travel, and a file that belongs into the image', (t) => {
  const items = (count: number, bytes: number) =>
    Array.from({ length: count }, (_, at) => ({ name: `f${at}`, data: 'x'.repeat(bytes) }))
  const withFiles = (count: number, bytes: number) =>
    minimal({}, { volumes: [{ name: 'v', 'config-map': items(count, bytes) }] })
  t.notThrows(() => parseApplication(withFiles(3, maxConfigFileBytes)))
  t.regex(
    refusal(() => parseApplication(withFiles(1, maxConfigFileBytes + 1))),
    /at most 64\.0 KiB/,
  )
  t.regex(
    refusal(() => parseApplication(withFiles(4, maxApplicationBytes / 4))),
    /at most 256\.0 KiB travel/,
  )
})

test('refuses names that objects would swallow', (t) => {
  const value = JSON.parse(
    '{"name":"shop","services":[{"name":"w","containers":[{"name":"w","image":"i","env":{"__proto__":"x"}}]}]}',
  )
  t.regex(
    refusal(() => parseApplication(value)),
    /env\.__proto__: cannot be a name here/,
  )
})

test('refuses text made to exhaust the reader, and text that is empty', (t) => {
  for (const text of ['['.repeat(100_000), '{"a":'.repeat(5_000), '- '.repeat(20_000), '&a [*a]'])
    t.not(
      refusal(() => parseDocuments(text, 'f')),
      'accepted',
    )
  t.regex(
    refusal(() => parseDocuments('# nothing\n---\n', 'f')),
    /holds no document/,
  )
  t.regex(
    refusal(() => parseDocuments('x'.repeat(5 * 1024 * 1024), 'f')),
    /the file is over 4 MiB; send it in several/,
  )
})

test('a field is found in its line, and a number told as it is written, in any document and either shape', (t) => {
  const text = [
    'name: a',
    'services: []',
    '---',
    'name: b',
    'version: 1.10',
    'services:',
    '  - name: web',
    '    volumes:',
    '      - name: v',
    '        config-map:',
    '          - name: f',
    '            data: 7',
    '    containers: [{ name: web, image: demo:1 }]',
  ].join('\n')
  t.deepEqual(refusal(() => parseDocuments(text, 'f')).split('\n'), [
    'f:2: services: must have at least 1 entry',
    'f:5: version: must be text, not the number 1.1; put it in quotes: "1.10"',
    'f:12: services[0].volumes[0].config-map[0].data: must be text, not the number 7; put it in quotes: "7"',
  ])
  const many = Array.from({ length: 201 }, (_, at) => `name: a${at}\n`).join('---\n')
  t.regex(
    refusal(() => parseDocuments(many, 'f')),
    /^f:401: is document 201; send at most 200 at once$/,
  )
})

test('labels under system/ cannot be given to an application', (t) => {
  t.notThrows(() => parseApplication(minimal({}, {}, { labels: { 'shop.example/size': 'large', plain: '' } })))
  t.regex(
    refusal(() => parseApplication(minimal({}, {}, { labels: { 'system/name': 'x' } }))),
    /set by the system/,
  )
})

const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/)
const container = fc.record(
  {
    name,
    image: fc.constantFrom('shop', 'demo/shop:1', 'r.example:5000/shop'),
    cmd: fc.array(
      fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
      { maxLength: 3 },
    ),
    env: fc.dictionary(
      fc.stringMatching(/^[A-Z][A-Z_]{0,6}$/),
      fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
    ),
    user: fc.constant('10:20'),
    memory: fc.constantFrom('64MiB', '1GB'),
    cpus: fc.double({ min: 0.01, max: 64, noNaN: true }),
    'shutdown-timeout': fc.constantFrom('0s', '1m30s'),
  },
  { requiredKeys: ['name', 'image'] },
)
const application = fc.record(
  {
    name,
    version: fc.stringMatching(/^[a-zA-Z0-9\-.+]{1,12}$/),
    services: fc.uniqueArray(
      fc.record(
        {
          name,
          replicas: fc.integer({ min: 0, max: 100 }),
          containers: fc.uniqueArray(container, { minLength: 1, maxLength: 3, selector: ({ name: key }) => key }),
        },
        { requiredKeys: ['name', 'containers'] },
      ),
      { minLength: 1, maxLength: 3, selector: ({ name: key }) => key },
    ),
  },
  { requiredKeys: ['name', 'services'] },
)

test('what was read once reads back as the same, as value and as text', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(application, (written) => {
        const value = parseApplication(written)
        const [again] = parseDocuments(canonicalJson(value), 'again.json')
        return (
          canonicalJson(again?.value) === canonicalJson(value) &&
          canonicalJson(parseApplication(value)) === canonicalJson(value)
        )
      }),
      { numRuns: 200 },
    ),
  )
})
