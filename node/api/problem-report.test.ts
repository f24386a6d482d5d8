import test from 'ava'
import { InvalidInputError, SkerryError } from '../../base/index.ts'
import { reportProblem } from './problem-report.ts'

test('every problem of refused input is an entry with its line', (t) => {
  const report = reportProblem(
    new InvalidInputError([
      { source: 'shop.yaml', line: 3, field: 'name', message: 'is missing' },
      { source: 'shop.yaml', line: 9, field: 'colour', message: 'unknown field', suggestion: 'leave it out' },
    ]),
  )
  t.is(report.status, 400)
  t.deepEqual(
    report.body.errors.map((entry) => entry['error-message']),
    ['shop.yaml:3: name: is missing', 'shop.yaml:9: colour: unknown field; leave it out'],
  )
  t.is(report.body.errors[0]?.['error-info']?.line, 3)
})

test('codes decide the status', (t) => {
  const statusOf = (code: string) => reportProblem(new SkerryError(code, 'words')).status
  t.deepEqual(
    ['not-found', 'version-exists', 'precondition-failed', 'not-supported', 'engine-unavailable'].map(statusOf),
    [404, 409, 412, 400, 503],
  )
})

test('what was not expected is told without its text, stack or objects', (t) => {
  for (const error of [
    new Error('/secret/path'),
    new SkerryError('broken-invariant', '/secret/path'),
    'text',
    undefined,
  ]) {
    const report = reportProblem(error)
    t.is(report.status, 500)
    t.false(JSON.stringify(report).includes('secret'))
  }
  const nested = reportProblem(new SkerryError('not-found', 'none', { details: { path: { secret: 1 }, site: 'n1' } }))
  t.deepEqual(nested.body.errors[0]?.['error-info'], { site: 'n1', code: 'not-found' })
})
