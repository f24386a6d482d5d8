import test from 'ava'
import { assert, describeProblem, errorText, InvalidInputError, nearestName, SkerryError } from './errors.ts'

test('an error keeps its code, details and cause, and is named for its class', (t) => {
  class DoorError extends SkerryError {}
  const cause = new Error('rust')
  const error = new DoorError('stuck', 'cannot open the door', { details: { door: 3 }, cause })
  t.is(error.name, 'DoorError')
  t.is(error.code, 'stuck')
  t.deepEqual(error.details, { door: 3 })
  t.is(error.cause, cause)
  t.false('cause' in new SkerryError('a', 'b'))
})

test('a problem is one line with place, field, message and suggestion, where they are known', (t) => {
  const problem = { source: 'a.yaml', field: 'zones[0]', message: 'unknown field "lgos"' }
  t.is(describeProblem(problem), 'a.yaml: zones[0]: unknown field "lgos"')
  t.is(
    describeProblem({ ...problem, line: 7, field: '', suggestion: 'did you mean "logs"?' }),
    'a.yaml:7: unknown field "lgos"; did you mean "logs"?',
  )
})

test('refused input carries every problem', (t) => {
  const problems = [1, 2].map((line) => ({ source: 'a', line, field: 'x', message: 'wrong' }))
  const error = new InvalidInputError(problems)
  t.is(error.code, 'invalid-input')
  t.is(error.message, 'a:1: x: wrong\na:2: x: wrong')
  t.deepEqual(error.problems, problems)
})

test('a broken invariant crashes, one that holds does not', (t) => {
  assert(true, 'fine')
  const error = t.throws(() => assert(0, 'one writer per lane'), { instanceOf: SkerryError })
  t.is(error?.message, 'broken invariant: one writer per lane')
})

test('anything thrown has a text', (t) => {
  t.is(errorText(new Error('why')), 'why')
  t.is(errorText('plain'), 'plain')
})

test('the nearest known name is suggested, a far one is not', (t) => {
  const known = ['logs', 'metrics', 'names']
  t.is(nearestName('lgos', known), 'logs')
  t.is(nearestName('metric', known), 'metrics')
  t.is(nearestName('completely-else', known), undefined)
  t.is(nearestName('x', []), undefined)
})
