import test from 'ava'
import { parseQuery, type QueryKey } from './query.ts'

const read = (text: string, accepted: readonly QueryKey[], required: readonly QueryKey[] = []) =>
  parseQuery(new URLSearchParams(text), accepted, required)

test('parameters are read by their kind', (t) => {
  t.deepEqual(read('site=shop-1&follow=true&tail-bytes=10', ['site', 'follow', 'tail-bytes']) as object, {
    site: 'shop-1',
    follow: true,
    'tail-bytes': 10,
  })
})

test('what cannot be read is refused with what to write', (t) => {
  const refusals = [
    ['feilds=a', 'unknown parameter "feilds"; did you mean fields?'],
    ['zzz=1', 'unknown parameter "zzz": this path takes fields, keys, site, tail-bytes, zone'],
    ['keys=yes', 'keys: use true or false'],
    ['keys=true&keys=false', 'parameter keys is given twice'],
    ['tail-bytes=-1', 'tail-bytes: use a whole number from 0 to 67108864'],
    ['tail-bytes=1e9', 'tail-bytes: use a whole number'],
    ['site=../x', 'site: "../x" is not a name'],
    ['zone=de', 'zone: "de" is not a scope'],
    ['fields=a]', 'fields: unexpected "]" at character 2'],
  ] as const
  for (const [text, words] of refusals) {
    const error = t.throws(() => read(text, ['fields', 'keys', 'site', 'tail-bytes', 'zone']), { code: 'bad-request' })
    t.true(error?.message.startsWith(words), error?.message)
  }
  t.throws(() => read('', ['site'], ['site']), { message: /^parameter site is missing/ })
  t.throws(() => read('a=1', []), { message: /this path takes none/ })
})
