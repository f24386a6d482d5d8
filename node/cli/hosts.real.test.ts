import test from 'ava'
import { createMemoryServices } from '../api/memory/index.ts'
import { openCli, tryCli } from './try-cli.contract.ts'

const key = (digit: string) => digit.repeat(64)

test('hosts lists who belongs here and who calls, as text and as data', async (t) => {
  const { cli } = await openCli(t)
  const shown = await cli(['hosts'])
  t.is(shown.exitCode, 0, shown.err)
  t.regex(shown.out, /^HOST +SITE +ROLE +STATUS +FINGERPRINT +HOST-ID +AGE +NOTE\n/)
  t.regex(shown.out, /shop-1-b +shop-1 +edge +expected/)
  const asJson = await cli(['hosts', '--json'])
  t.is((asJson.json() as { fingerprint?: string }[])[3]?.fingerprint, key('c'))
})

test('a token is the only line on standard output, so that it can go into a file', async (t) => {
  const { cli } = await openCli(t)
  const made = await cli(['hosts', 'token', 'shop-1-b'])
  t.is(made.out, 'token-1-of-shop-1-b\n')
  t.is(made.err, 'one machine may join as shop-1-b with this token, once; it is not shown again\n')
  const asJson = await cli(['hosts', 'token', 'shop-1-b', '--json'])
  t.deepEqual(asJson.json(), { name: 'shop-1-b', token: 'token-2-of-shop-1-b' })
  t.is(asJson.err, '')
  const taken = await cli(['hosts', 'token', 'shop-1-a'])
  t.is(taken.exitCode, 1)
  t.is(taken.err, 'error: shop-1-a is enrolled: a token is for a host that nobody is yet\n')
})

test('a waiting host is claimed by what the list shows of it', async (t) => {
  for (const typed of [`${'c'.repeat(16)}…`, 'SN-2']) {
    const { cli } = await openCli(t)
    const claimed = await cli(['hosts', 'claim', typed, '--as', 'shop-1-b'])
    t.is(claimed.out, 'cccccccccccccccc… is shop-1-b from now on\n', claimed.err)
    t.regex((await cli(['hosts'])).out, /shop-1-b +shop-1 +edge +enrolled +cccccccccccccccc…/)
  }
})

test('what is claimed is the key the person saw, whoever calls under its host-id meanwhile', async (t) => {
  const services = createMemoryServices()
  const claimed: unknown[] = []
  const claim: typeof services.members.claim = async (who, name, asked) => {
    claimed.push(who)
    return services.members.claim(who, name, asked)
  }
  const { cli } = await openCli(t, { ...services, members: { ...services.members, claim } })
  await cli(['hosts', 'claim', 'SN-2', '--as', 'shop-1-b'])
  t.deepEqual(claimed, [{ fingerprint: key('c') }])
})

test('a claim that fits nobody is refused with who waits', async (t) => {
  const { cli } = await openCli(t)
  const refused = await cli(['hosts', 'claim', 'SN-7', '--as', 'shop-1-b'])
  t.is(refused.exitCode, 1)
  t.is(refused.err, 'error: no host calls as SN-7; waiting: cccccccccccccccc… (SN-2)\n')
  const unknown = await cli(['hosts', 'claim', 'SN-2', '--as', 'shop-1-c'])
  t.regex(unknown.err, /no host shop-1-c is expected here; did you mean shop-1-[ab]\?/)
})

test('a host is cut off and let in again, and each says what comes next', async (t) => {
  const { cli } = await openCli(t)
  const blocked = await cli(['hosts', 'block', 'shop-1-a'])
  t.is(
    blocked.out,
    'shop-1-a at /shop-1: blocked\nwhat runs there goes on; let it in again with "skerry hosts allow shop-1-a"\n',
    blocked.err,
  )
  t.is(
    (await cli(['hosts', 'allow', 'shop-1-a'])).out,
    'shop-1-a at /shop-1: enrolled\nit comes back by itself at its next call\n',
  )
  const again = await cli(['hosts', 'allow', 'shop-1-a'])
  t.is(again.err, 'error: host shop-1-a is not blocked\n')
})

test('--zone alone is the zone meant; beside a host or a site it is the one that answers', async (t) => {
  const services = createMemoryServices()
  const asked: unknown[] = []
  const block: typeof services.members.block = async (target, { zone }) => {
    asked.push([target, zone])
    return []
  }
  const { cli } = await openCli(t, { ...services, members: { ...services.members, block } })
  for (const line of ['--zone /north', 'n1-a --zone /north', '--site n1 --zone /north', '--site n1'])
    t.is((await cli(['hosts', 'block', ...line.split(' ')])).exitCode, 0, line)
  t.deepEqual(asked, [
    [{ kind: 'zone', zone: '/north' }, undefined],
    [{ kind: 'host', host: 'n1-a' }, '/north'],
    [{ kind: 'site', site: 'n1' }, '/north'],
    [{ kind: 'site', site: 'n1' }, undefined],
  ])
  t.regex((await cli(['hosts', 'block', '--site', 'n1', '--zone', '/north'])).out, /allow --site n1 --zone \/north"/)
})

test('beyond a border the refusal says who answers', async (t) => {
  const { cli } = await openCli(t)
  for (const line of ['hosts --zone /de/bavaria', 'hosts token munich-1-a --zone /de/bavaria']) {
    const refused = await cli(line.split(' '))
    t.is(refused.exitCode, 1)
    t.is(refused.err, 'error: beyond here /de/bavaria answers\n')
  }
})

test('what is not understood ends with 2 and says what to write', async (t) => {
  const { cli } = await openCli(t)
  for (const [line, words] of [
    ['hosts blok shop-1-a', /unknown command 'hosts blok'[\s\S]*Did you mean block\?/],
    ['hosts block', /say whom: skerry hosts block HOST, --site SITE or --zone PATH/],
    ['hosts allow shop-1-a --site shop-1', /name a host or --site, not both/],
    ['hosts claim SN-2', /required option '--as <host>' not specified/],
    ['diff n1', /missing required argument 'other'/],
  ] as const) {
    const shown = await cli(line.split(' '))
    t.is(shown.exitCode, 2, line)
    t.regex(shown.err, words, line)
    t.is(shown.out, '')
  }
})

test('sites are compared, and an unknown one is told with the nearest name', async (t) => {
  const services = createMemoryServices()
  const differences = [{ what: 'hosts', a: '2', b: '1' }]
  const siteDiff: typeof services.state.siteDiff = async (a, b, asked) =>
    b === 'n2' ? { a, b, differences } : services.state.siteDiff(a, b, asked)
  const { cli } = await openCli(t, { ...services, state: { ...services.state, siteDiff } })
  t.is((await cli(['diff', 'n1', 'n2'])).out, 'WHAT   N1  N2\nhosts  2   1\n')
  t.deepEqual((await cli(['diff', 'n1', 'n2', '--json'])).json(), { a: 'n1', b: 'n2', differences })
  t.is((await cli(['diff', 'shop-1', 'shop-1'])).out, 'shop-1 and shop-1 are alike\n')
  const unknown = await cli(['diff', 'shop-1', 'shop-2'])
  t.is(unknown.exitCode, 1)
  t.regex(unknown.err, /there is no site shop-2 below tower; did you mean shop-1\?/)
})

test('every subcommand of hosts is documented with an example', async (t) => {
  for (const name of ['token', 'claim', 'block', 'allow']) {
    const shown = await tryCli('.', ['hosts', name, '--help'])
    t.is(shown.exitCode, 0)
    t.regex(shown.out, new RegExp(`Examples:\\n {2}\\$ skerry hosts ${name} `), name)
  }
})
