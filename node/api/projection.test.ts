import test from 'ava'
import fc from 'fast-check'
import { parseProjection, project } from './projection.ts'

const value = { name: 'shop', version: '1', sites: [{ site: 'n1', ready: { count: 1, 'age-ms': 5 } }, { site: 'n2' }] }
const take = (fields: string) => project(value, parseProjection(fields))

test('a projection keeps only what is named, through lists', (t) => {
  t.deepEqual(take('name'), { name: 'shop' })
  t.deepEqual(take('name,sites/site'), { name: 'shop', sites: [{ site: 'n1' }, { site: 'n2' }] })
  t.deepEqual(take('sites/[site,ready/count]'), { sites: [{ site: 'n1', ready: { count: 1 } }, { site: 'n2' }] })
  t.deepEqual(take('[name,version]'), { name: 'shop', version: '1' })
  t.deepEqual(take('sites/site,sites'), { sites: value.sites })
  t.deepEqual(take('nothing'), {})
})

test('a malformed projection says where and how to write it', (t) => {
  for (const [text, words] of [
    ['', 'a name is missing at character 1'],
    ['a/', 'a name is missing at character 3'],
    ['a/[b', 'a "]" is missing at character 5'],
    ['a]', 'unexpected "]" at character 2'],
    ['a,,b', 'unexpected "," at character 3'],
    ['a/'.repeat(20), 'deeper than 16 levels'],
    ['a'.repeat(3_000), 'longer than 2000 characters'],
  ] as const) {
    const error = t.throws(() => parseProjection(text), { code: 'bad-request' })
    t.true(error?.message.includes(words), `${text.slice(0, 20)}: ${error?.message}`)
  }
})

test('any text is a projection or a refusal, never anything else', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '/', '[', ']', ',', '_'), maxLength: 40 }), (text) => {
      try {
        project(value, parseProjection(text))
      } catch (error) {
        return error instanceof Error && 'code' in error && error.code === 'bad-request'
      }
      return true
    }),
  )
  t.pass()
})
