import test from 'ava'
import { formatTable, printable } from './table.ts'

test('columns are aligned, numbers stand right, no line ends in space', (t) => {
  const text = formatTable(
    [{ title: 'application' }, { title: 'ready', align: 'right' }, { title: 'note' }],
    [
      ['shop', '2', ''],
      ['a-longer-name', '10', 'größer'],
    ],
  )
  t.is(text, 'APPLICATION    READY  NOTE\nshop               2\na-longer-name     10  größer\n')
})

test('text from elsewhere cannot steer the terminal', (t) => {
  t.is(printable('a\u001b[31mb\u0007\nc\u202e'), 'a?[31mb??c?')
})
