import test from 'ava'
import { SkerryError } from './errors.ts'
import { parseDigest, parseName, parseScopePath, parseVersion } from './ids.ts'

const digest = `sha256:${'0a'.repeat(32)}`

for (const [parse, good, bad] of [
  [parseName, ['a', 'shop-2', '0', 'x'.repeat(63)], ['', 'Shop', '-a', 'a-', 'a_b', 'x'.repeat(64), 'a\n']],
  [parseVersion, ['1', '1.0.0-rc.1+5', 'V2', 'x'.repeat(64)], ['', 'a b', '1/2', 'x'.repeat(65), '1\n']],
  [parseScopePath, ['/', '/de', '/de/bavaria/munich-7'], ['', 'de', '/de/', '//', '/De', '/de/-x', '/de\n']],
  [parseDigest, [digest], ['', digest.toUpperCase(), digest.slice(1), `${digest}0`, digest.replace('sha256', 'md5')]],
] as const) {
  const kind =
    parse === parseName ? 'name' : parse === parseVersion ? 'version' : parse === parseDigest ? 'digest' : 'scope'

  test(`a ${kind} that is one is taken as it is`, (t) => {
    for (const text of good) t.is(String(parse(text)), text)
  })

  test(`a text that is no ${kind} is refused, and the message says what one looks like`, (t) => {
    for (const text of bad) {
      const error = t.throws(() => parse(text), { instanceOf: SkerryError }, JSON.stringify(text))
      t.is(error?.code, 'invalid-id')
      t.regex(error?.message ?? '', new RegExp(`is not a ${kind}: use `))
    }
  })
}
