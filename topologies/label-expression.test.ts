import test from 'ava'
import fc from 'fast-check'
import {
  describeExpression,
  type LabelExpression,
  LabelExpressionError,
  labelExpressionLimits,
  matchesLabels,
  parseLabelExpression,
} from './index.ts'

const matches = (text: string, labels: Record<string, string>) => matchesLabels(parseLabelExpression(text), labels)

test('the expressions of the public interface match', (t) => {
  const labels = { 'system/type': 'edge', 'mto.com/with-storage': '', size: 'large' }
  t.true(matches('system/type = edge and mto.com/with-storage', labels))
  t.true(matches('size="large"and(not other or x)', labels))
  t.true(matches('size != small', labels))
  t.true(matches('mto.com/with-storage = ""', labels))
  t.false(matches('size = Large', labels))
  t.false(matches('Size = large', labels))
  t.false(matches('toString or constructor', labels))
})

test('a label that is not there matches nothing, and its absence can be asked for', (t) => {
  t.false(matches('size', {}))
  t.false(matches('size = large', {}))
  t.false(matches('size != large', {}))
  t.true(matches('not size = large', {}))
})

test('and binds tighter than or, not tightest', (t) => {
  t.is(describeExpression(parseLabelExpression('a or b and not c = 1 or d')), 'a or (b and not c = 1) or d')
  t.true(matches('a or b and c', { a: '' }))
  t.false(matches('(a or b) and c', { a: '' }))
})

const refusals: readonly (readonly [string, string])[] = [
  ['', 'column 1: a label is wanted, not the end; write it like: system/type = edge and not shop.example/canary'],
  ['a = ', 'column 5: a value is wanted, not the end; write "" for empty'],
  ['a == b', 'column 3: "==" is not known; write ='],
  ['a && b', 'column 3: "&" is not known; write and'],
  ['a AND b', 'column 3: "and" or "or" is wanted, not "AND"; did you mean "and"?'],
  ['!a', 'column 1: "!" is not known here; write not, or != to compare'],
  ['a = not', 'column 5: a value is wanted, not not; put it in quotes if it is the value: "not"'],
  ['(a or b', 'column 8: the parenthesis of column 1 is not closed; add )'],
  ['a = "b', 'column 5: the quote is not closed, or holds an unknown escape; close it; escape with \\" or \\\\'],
  ['"a" = b', 'column 1: a label is wanted, not "a"; keys take no quotes'],
  ["a = 'b'", 'column 5: \' is not a quote here; use "'],
  ['a)', 'column 2: "and" or "or" is wanted, not ")"; write it like: system/type = edge and not shop.example/canary'],
]
for (const [text, message] of refusals)
  test(`${JSON.stringify(text)} is refused with its place`, (t) => {
    const error = t.throws(() => parseLabelExpression(text), { instanceOf: LabelExpressionError })
    t.is(error?.message, `label expression, ${message}`)
    t.is(error?.code, 'invalid-label-expression')
  })

test('hostile expressions are refused by their size', (t) => {
  const { characters, depth, terms } = labelExpressionLimits
  t.throws(() => parseLabelExpression('a'.repeat(characters + 1)), { message: /longer than 2048 characters/ })
  t.throws(() => parseLabelExpression(`${'('.repeat(depth)}a${')'.repeat(depth)}`), {
    message: /nested deeper than 32/,
  })
  t.notThrows(() => parseLabelExpression(`${'('.repeat(depth - 1)}a${')'.repeat(depth - 1)}`))
  t.throws(() => parseLabelExpression(`${'not '.repeat(depth)}a`), { message: /nested deeper than 32/ })
  t.throws(
    () =>
      parseLabelExpression(
        Array(terms + 1)
          .fill('a')
          .join(' or '),
      ),
    { message: /more than 128 terms/ },
  )
  t.notThrows(() => parseLabelExpression(Array(terms).fill('a').join(' or ')))
})

const key = fc.constantFrom('a', 'b', 'shop.example/size', 'system/type', 'nothing', 'x_1.y')
const value = fc.oneof(fc.constantFrom('', 'and', 'edge', 'a b', '"', '\\', 'or'), fc.string({ maxLength: 6 }))
const { expression } = fc.letrec<{ expression: LabelExpression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({ kind: fc.constant('has' as const), key }),
    fc.record({ kind: fc.constantFrom('equals' as const, 'differs' as const), key, value }),
    fc.record({ kind: fc.constant('not' as const), of: tie('expression') }),
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      of: fc.array(tie('expression'), { minLength: 2, maxLength: 3 }),
    }),
  ),
}))
const labels = fc.dictionary(key, value, { maxKeys: 4 })

test('what is printed parses back to the same expression', (t) => {
  fc.assert(
    fc.property(expression, (given) => {
      t.deepEqual(parseLabelExpression(describeExpression(given)), given)
    }),
  )
})

test('the laws of de Morgan hold', (t) => {
  const not = (of: LabelExpression): LabelExpression => ({ kind: 'not', of })
  fc.assert(
    fc.property(expression, expression, labels, (a, b, given) => {
      for (const [kind, dual] of [
        ['and', 'or'],
        ['or', 'and'],
      ] as const) {
        const left = matchesLabels(not({ kind, of: [a, b] }), given)
        t.is(left, matchesLabels({ kind: dual, of: [not(a), not(b)] }, given))
      }
      t.is(matchesLabels(not(not(a)), given), matchesLabels(a, given))
    }),
  )
})

test('any text parses or is refused with a column inside it', (t) => {
  const bits = fc.constantFrom('a', ' ', '=', '!=', '(', ')', 'not ', ' and ', ' or ', '"', '\\', 'é', '\n')
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 15 }), (parts) => {
      const text = parts.join('')
      try {
        t.truthy(parseLabelExpression(text))
      } catch (error) {
        t.true(error instanceof LabelExpressionError && error.column >= 1 && error.column <= text.length + 1)
      }
    }),
  )
})
