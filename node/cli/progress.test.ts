import test from 'ava'
import { createManualClock } from '../../base/index.ts'
import { createProgress } from './progress.ts'

const open = (isTty: boolean) => {
  const parts: string[] = []
  const clock = createManualClock()
  const progress = createProgress({ isTty, write: (chunk) => void parts.push(String(chunk)) }, clock)
  return { parts, clock, progress }
}

test('without a terminal at most one line a second is written, and always the last', (t) => {
  const { parts, clock, progress } = open(false)
  for (let percent = 0; percent <= 100; percent++) {
    progress.show(`${percent} %`)
    clock.advance(25)
  }
  progress.show('')
  t.deepEqual(parts, ['0 %\n', '40 %\n', '80 %\n', '100 %\n'])
  progress.show('0 % of the next')
  t.is(parts.at(-1), '0 % of the next\n')
})

test('a line that was shown is not shown again at the end', (t) => {
  const { parts, progress } = open(false)
  progress.show('all')
  progress.show('all')
  progress.show('')
  progress.show('')
  t.deepEqual(parts, ['all\n'])
})

test('on a terminal each line takes the place of the last', (t) => {
  const { parts, progress } = open(true)
  progress.show('1 of 2')
  progress.show('2 of 2')
  progress.show('')
  const blank = `\r${' '.repeat(79)}\r`
  t.deepEqual(parts, ['1 of 2', `${blank}2 of 2`, blank])
})
