import test from 'ava'
import type { ConflictView } from '../api/index.ts'
import { conflictTable } from './commands/conflicts.ts'
import { conflictLines } from './commands/status.ts'
import { openCli } from './try-cli.contract.ts'

test('conflicts are listed with who wants what and where it runs, and one command ends one', async (t) => {
  const { cli } = await openCli(t)
  const listed = await cli(['conflicts'])
  t.is(listed.exitCode, 0)
  t.is(
    listed.out,
    [
      'APPLICATION  IN      CANDIDATE     OF      WANTS                   BY                RUNS AT  FOR',
      'shop         /north  a1b2c3d4e5f6  /       3 (shop-rollout)        tower             -        1m30s',
      'shop         /north  f6e5d4c3b2a1  /north  2-north (shop-rollout)  north-aggregator  n1, n2   1m30s',
      '',
      'end it with "skerry conflicts settle shop --take CANDIDATE --zone /north"',
      '',
    ].join('\n'),
  )
  t.is(((await cli(['conflicts', '--json'])).json() as unknown[]).length, 1)
  t.is((await cli(['conflicts', 'show', 'shop'])).out, listed.out)
  const none = await cli(['conflicts', 'show', 'shp'])
  t.is(none.exitCode, 1)
  t.regex(none.err, /no conflict about shp here; did you mean shop\?/)
  const wrong = await cli(['conflicts', 'settle', 'shop', '--take', 'everything'])
  t.regex(wrong.err, /must be the id of a candidate, local or above/)
  t.is((await cli(['conflicts', 'settle', 'shop', '--take', '0000'])).exitCode, 1)
  const settled = await cli(['conflicts', 'settle', 'shop', '--take', 'above', '--zone', '/north'])
  t.is(settled.out, 'shop in /north: taken is version 3, decided at /\n')
  t.is((await cli(['conflicts'])).out, 'no conflicts\n')
})

test('what a zone keeps to itself is a line that says so', (t) => {
  const conflict: ConflictView = {
    application: 'shop',
    'application-id': '5a'.repeat(16),
    scope: '/south',
    'since-ms': 1_000,
    candidates: [{ id: 'a1b2c3d4e5f6', voice: 'intent', scope: '/', retired: true, sites: [], runs: false }],
    withheld: [{ zone: '/south', count: 2 }],
    'can-settle': false,
    note: 'beyond here /south answers: its operators settle it',
  }
  const text = conflictTable([conflict])
  t.regex(text, /to retire it/)
  t.regex(text, /2 candidates are withheld by \/south/)
  t.regex(text, /beyond here \/south answers/)
})

test('status says where words do not agree and which zones decided otherwise', (t) => {
  const shop = { name: 'shop', version: '1', 'oper-status': 'conflict', sites: [] }
  t.is(conflictLines([shop]), '')
  const conflicts = [{ scope: '/north', candidates: 2, note: 'end it' }]
  t.is(
    conflictLines([{ ...shop, conflicts, 'overridden-by': ['/west'] }]),
    '\nin conflict:\n  shop in /north: conflict of 2 decisions; sites keep what they have; end it\n' +
      '\ndecided by zones themselves:\n  shop in /west: its own operators decided otherwise\n',
  )
})
