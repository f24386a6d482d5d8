import { readFileSync } from 'node:fs'
import test from 'ava'
import type { ZoneAuthorityView } from '../api/index.ts'
import { authorityText } from './commands/zone-authority.ts'
import { openCli } from './try-cli.contract.ts'

test('who speaks for a zone is shown with its keys, what waits, and what to do', (t) => {
  const view: ZoneAuthorityView = {
    scope: '/south',
    succession: 'own',
    id: '0b'.repeat(24),
    generation: 2,
    threshold: 2,
    countersigned: false,
    keys: [{ fingerprint: '0c'.repeat(32), host: 'south-1' }, { fingerprint: '0d'.repeat(32) }],
    waiting: [{ fingerprint: '0e'.repeat(32), host: 'south-3' }],
    rival: { id: '0f'.repeat(24), keys: [{ fingerprint: '1a'.repeat(32) }] },
    notes: ['a note'],
  }
  t.is(
    authorityText(view),
    [
      `/south  authority ${'0b'.repeat(24)} (its own)`,
      'generation 2, not countersigned; its list changes with 2 of its 2 keys',
      '',
      `HOST     FINGERPRINT${' '.repeat(55)}KEY`,
      `south-1  ${'0c'.repeat(32)}  signs for the zone`,
      `-        ${'0d'.repeat(32)}  signs for the zone`,
      `south-3  ${'0e'.repeat(32)}  not on the list`,
      `-        ${'1a'.repeat(32)}  shows another authority`,
      '',
      'a note',
      '',
    ].join('\n'),
  )
})

test('an authority is shown, a draft is printed as a file that another node signs, and one is retired with what is lost', async (t) => {
  const { cli, file } = await openCli(t)
  t.like((await cli(['zones', 'authority', '/de/bavaria', '--json'])).json(), { succession: 'own', generation: 1 })
  t.like((await cli(['zones', 'authority', '--json'])).json(), { scope: '/', succession: 'granted' })
  const key = '0a'.repeat(8)
  const drafted = await cli(['zones', 'authority', '/de/bavaria', '--add', key, '--remove', key, '--threshold', '2'])
  t.is(drafted.exitCode, 0, drafted.err)
  t.regex(drafted.err, /1 of 2 keys signed generation 2 .*--sign FILE/)
  const next = file('next.json', drafted.out)
  t.deepEqual(JSON.parse(readFileSync(next, 'utf8')), {
    version: 1,
    zone: '/de/bavaria',
    generation: 2,
    draft: 'ab'.repeat(40),
  })
  const signed = await cli(['zones', 'authority', '/de/bavaria', '--sign', next])
  t.is(signed.out, 'generation 2 of /de/bavaria is in force\n')
  const json = await cli(['zones', 'authority', '/de/bavaria', '--threshold', '2', '--json'])
  t.like(json.json(), { outcome: 'draft', signed: 1, needed: 2 })
  t.is((await cli(['zones', 'authority', '/de/bavaria', '--sign', file('json.json', json.out)])).exitCode, 0)
  t.is((await cli(['zones', 'authority', '/de/bavaria', '--retire', key])).out, `the id ${key} is closed for ever\n`)
})

test('what cannot be done is refused in words', async (t) => {
  const { cli, file } = await openCli(t)
  const key = '0a'.repeat(8)
  for (const [line, exitCode, words] of [
    [['/south', '--add', key], 1, /beyond here \/south answers/],
    [['/de/bavaria', '--sign', file('none.json', '{}')], 1, /is no draft of version 1/],
    [['/de/bavaria', '--sign', 'nowhere.json'], 1, /cannot read nowhere.json/],
    [['/de/bavaria', '--add', key, '--retire', key], 2, /one at a time/],
    [['--add', key], 2, /name the zone/],
    [['/de/bavaria', '--add', 'abc'], 1, /16 to 64 lower-case hexadecimal digits/],
    [['/de/bavaria', '--threshold', 'two'], 1, /threshold/],
  ] as const) {
    const tried = await cli(['zones', 'authority', ...line])
    t.is(tried.exitCode, exitCode, `${line.join(' ')}: ${tried.err}`)
    t.regex(tried.err, words)
  }
})

test('a zone is narrowed kind by kind', async (t) => {
  const { cli } = await openCli(t)
  const said = await cli(['zones', 'policy', '/de/bavaria', '--narrow', 'logs=none', '--narrow', 'reports=summary'])
  t.is(said.out, '/de/bavaria may let out at most: logs none, reports summary\n')
  t.regex((await cli(['zones', 'policy', '/de/bavaria', '--narrow', 'logs=all'])).err, /must be none, summary or own/)
})
