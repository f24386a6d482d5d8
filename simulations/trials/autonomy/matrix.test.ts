import test from 'ava'
import { cellWords, conditions, matrix, operations, wrongIn } from './matrix.ts'

test('every operation has an answer under every condition, and every refusal says why', (t) => {
  for (const condition of conditions)
    for (const operation of operations) {
      const musts = matrix[condition][operation]
      t.true(musts.length > 0, `${operation} × ${condition}`)
      for (const { refusal, why } of musts) t.true(refusal === undefined || why !== undefined)
    }
})

test('an outcome is wrong when it fails, is not refused, or is refused in other words', (t) => {
  const works = { at: 'tower' }
  const refused = { at: 'n2-a', refusal: /only be read/, why: 'refused' }
  t.is(wrongIn(works, { ok: true, text: 'done' }), undefined)
  t.is(wrongIn(refused, { ok: false, text: 'error: it can only be read' }), undefined)
  t.regex(wrongIn(works, { ok: false, text: 'error: no' }) ?? '', /did not work: error: no/)
  t.regex(wrongIn(refused, { ok: true, text: 'done' }) ?? '', /was not refused/)
  t.regex(wrongIn(refused, { ok: false, text: 'error: crash' }) ?? '', /in other words: error: crash/)
})

test('a row says what it did, or what was wrong', (t) => {
  t.is(cellWords([{ at: 'tower' }, { at: 'n2-a', why: 'refused: why' }], []), 'at tower: works; at n2-a: refused: why')
  t.is(cellWords([{ at: 'tower' }], ['at tower it did not work: no']), 'at tower it did not work: no')
})
