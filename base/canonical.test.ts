import test from 'ava'
import fc from 'fast-check'
import { canonicalJson } from './canonical.ts'

test('keys are sorted by code unit and what is undefined is absent', (t) => {
  t.is(canonicalJson({ b: 1, a: [true, null, 'x'], Z: undefined, A: {} }), '{"A":{},"a":[true,null,"x"],"b":1}')
  t.is(canonicalJson({ '\u{1f600}': 1, '\ufb33': 2 }), '{"\u{1f600}":1,"\ufb33":2}')
})

test('equal values have equal text, whatever the order of their keys', (t) => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const turned = Object.fromEntries(Object.entries(value).toReversed())
      return canonicalJson(value) === canonicalJson(turned)
    }),
  )
  t.pass()
})

test('the text reads back as the value', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      t.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)))
    }),
    { numRuns: 50 },
  )
})

for (const [what, value] of Object.entries({
  'not a number': Number.NaN,
  'infinite number': -Infinity,
  'function inside': { a: () => 1 },
  'lone surrogate': '\ud800',
  'big integer': 1n,
}))
  test(`a ${what} has no canonical form`, (t) => {
    t.throws(() => canonicalJson(value), { instanceOf: TypeError, message: /no canonical form/ })
  })

test('a key with a lone surrogate has no canonical form', (t) => {
  t.throws(() => canonicalJson({ '\ud800': 1 }), { instanceOf: TypeError })
})
