import test from 'ava'
import { matchesOutput, stepsOf } from './walkthroughs.ts'

const page = ['# A page', '```', 'not run', '```', '```sh', 'a', 'b', '```', 'words', '```text', 'A', '```'].join('\n')

test('commands come with the line they stand on and the output after them', (t) => {
  t.deepEqual(stepsOf(page, 'process'), [{ line: 6, commands: 'a\nb', expected: 'A' }])
})

test('commands for one runtime are left out for the other', (t) => {
  const only = page.replace('```sh', '```sh containerd')
  t.is(stepsOf(only, 'containerd').length, 1)
  t.deepEqual(stepsOf(only, 'process'), [])
})

test('commands without expected output are refused', (t) => {
  t.throws(() => stepsOf('```sh\na\n```', 'process'), { message: /line 2 have no/ })
})

test('an ellipsis stands for anything in a line, and alone for any number of lines', (t) => {
  t.true(matchesOutput('a … c\nd', 'a b c  \nd\n'))
  t.true(matchesOutput('a   …', 'a b'))
  t.true(matchesOutput('…\nd', 'd'))
  t.true(matchesOutput('…\nd', 'a\nb\nd\n'))
  t.true(matchesOutput('a\n…', 'a\n'))
  t.false(matchesOutput('a … c', 'a b\nc'))
  t.false(matchesOutput('a\nd', 'a\nb\nd'))
  t.false(matchesOutput('a', 'a\nb'))
  t.false(matchesOutput('a.c', 'abc'))
})
