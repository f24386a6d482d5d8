import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { buildArchive } from '../../runtime/index.ts'
import type { CliCommand } from './command.ts'
import { readProfile, writeProfile } from './profile.ts'
import { openCli as open, tryCli as run } from './try-cli.contract.ts'

const application = 'name: shop\nversion: "1"\nservices: []\n'
const deployment = 'name: shop-rollout\napplication: shop\n'

test('apply sends every document, imports images first and waits', async (t) => {
  const { cli, file } = await open(t)
  const spec = file('shop.yaml', `${deployment}---\n${application}`)
  const archive = file('shop.tar', new Uint8Array(600_000))
  const dry = await cli(['apply', '-f', spec, '--dry-run'])
  t.is(
    dry.out,
    'application shop would be created: site shop-1\ndeployment shop-rollout would be created: site shop-1\n',
  )
  const done = await cli(['apply', '-f', spec, '--image', archive, '--wait'])
  t.is(done.out, 'application shop created\ndeployment shop-rollout created\n')
  t.regex(
    done.err,
    /importing .*shop\.tar: 585\.9 KiB of 585\.9 KiB\nimported demo\/shop:1\nshop 1: 2 of 2 ready, 2 running\n/,
  )
  t.is(done.exitCode, 0)
  const again = await cli(['apply', '-f', '-', '--json'], { stdin: application })
  t.deepEqual(again.json(), { images: [], documents: [{ kind: 'application', name: 'shop', outcome: 'unchanged' }] })
  t.is(again.err, '')
})

test('a refusal ends with 1 and names the line of the file', async (t) => {
  const { cli, file } = await open(t)
  const spec = file('shop.yaml', `${application}colour: red\n`)
  const refused = await cli(['apply', '-f', spec])
  t.is(refused.exitCode, 1)
  t.is(refused.err, `error: ${spec}:1: colour: unknown field\n`)
  const asJson = await cli(['--json', 'apply', '-f', spec])
  t.is(
    (JSON.parse(asJson.err) as { errors: { 'error-info': { field: string } }[] }).errors[0]?.['error-info'].field,
    'colour',
  )
  t.is(asJson.out, '')
  for (const [line, words] of [
    ['status shpo', 'there is no application shpo; did you mean shop?'],
    ['logs shpo', 'there is no application shpo; did you mean shop?'],
    ['get applications till', 'there is no application till; there is shop'],
    ['get deployment till', 'there is no deployment till; there is none yet'],
    ['zones policy /nope', 'there is no zone /nope; there is /'],
  ] as const) {
    await cli(['apply', '-f', '-'], { stdin: application })
    const unknown = await cli(line.split(' '))
    t.is(unknown.exitCode, 1, line)
    t.is(unknown.err, `error: ${words}\n`, line)
  }
})

test('a file that cannot be read is told in words, with what to do', async (t) => {
  const { cli, file, dir } = await open(t)
  for (const [line, words] of [
    [
      'apply -f gone.yaml',
      'cannot read gone.yaml: there is no such file here; check the name and the folder you are in',
    ],
    ['apply -f /', 'cannot read /: it is a folder; name a file in it'],
    [
      'images import gone.tar',
      'cannot read the archive gone.tar: there is no such file here; check the name and the folder you are in',
    ],
    ['images import /', 'cannot read the archive /: it is a folder; name a file in it'],
  ] as const)
    t.is((await cli(line.split(' '))).err, `error: ${words}\n`)
  const empty = await cli(['images', 'import', file('t.yaml', '')])
  t.is(empty.err, `error: ${dir}/t.yaml: the archive is empty\n`)
})

test('explain ends with 1 when it does not run, and shows where the way stopped', async (t) => {
  const { cli } = await open(t)
  await cli(['apply', '-f', '-'], { stdin: application })
  for (const line of ['explain shop --site shop-1', 'explain shop']) {
    const shown = await cli(line.split(' '))
    t.is(shown.exitCode, 1)
    t.regex(shown.out, /STOP {2}deployment[\s\S]*shop does not run at shop-1[\s\S]*what to do: write a deployment/)
    t.is(shown.err, '')
  }
})

test('a dry run reads the names of images from their archives and imports nothing', async (t) => {
  const { cli, file } = await open(t)
  const archive = file('shop.tar', await buildArchive({ name: 'demo/shop:1', files: [{ path: 'a', data: 'a' }] }))
  const dry = await cli(['apply', '-f', '-', '--image', archive, '--dry-run'], { stdin: application })
  t.is(dry.err, 'would import demo/shop:1\n')
  t.is(dry.out, 'application shop would be created: site shop-1\n')
  t.regex((await cli(['images'])).out, /no images yet/)
})

test('--node asks that node of the tree, and names those there are', async (t) => {
  const { cli, dir, api } = await open(t)
  const profile = readProfile(dir)
  const { httpsUrl: endpoint, fingerprint } = api
  if (profile)
    writeProfile(dir, {
      ...profile,
      endpoint: 'https://127.0.0.1:1',
      nodes: [{ name: 'shop-1-a', role: 'edge', endpoint, fingerprint }],
    })
  t.is((await cli(['status'])).exitCode, 3)
  t.is((await cli(['--node', 'shop-1-a', 'status'])).exitCode, 0)
  t.is((await cli(['status', '--node', 'shop-1-a'])).exitCode, 0)
  const unknown = await cli(['status', '--node', 'shop-1-b'])
  t.is(unknown.exitCode, 2)
  t.regex(unknown.err, /--node shop-1-b: the tree in .* has no such node; did you mean shop-1-a\?/)
})

test('--node reaches a command with an option of that name, and is refused where it would mean nothing', async (t) => {
  const { cli } = await open(t)
  const given: unknown[] = []
  const command = (name: string, flags: string): CliCommand => ({
    name,
    summary: name,
    options: [{ flags, text: 'x' }],
    examples: [],
    run: async ({ options }) => {
      given.push(options.node)
      return 0
    },
  })
  const commands = [command('start', '--node <name>'), command('end', '--remove')]
  t.is((await cli(['start', '--node', 'a'], { commands })).exitCode, 0)
  t.deepEqual(given, ['a'])
  const refused = await cli(['end', '--node', 'a'], { commands })
  t.is(refused.exitCode, 2)
  t.regex(refused.err, /skerry end takes no --node/)
  t.deepEqual(given, ['a'])
})

test('each command that asks prints text, and one JSON value with --json', async (t) => {
  const { cli } = await open(t)
  await cli(['apply', '-f', '-'], { stdin: `${application}---\n${deployment}` })
  const commands: readonly (readonly [string, RegExp])[] = [
    [
      'status',
      /APPLICATION.*\nshop +1 +shop-1[\s\S]*skerry0[\s\S]*note: outbound traffic is open \(not filtered yet\)\n$/,
    ],
    ['status shop', /^APPLICATION/],
    ['tree', /└─ border bavaria/],
    ['sites', /shop\/size=large/],
    ['nodes', /simulated 1/],
    ['zones', /^ZONE/],
    ['zones policy /de/bavaria --explain', /privacy zone[\s\S]*\/ sees counts/],
    ['images', /no images yet/],
    ['get applications', /name: shop/],
    ['get application shop --versions', /version: "1"/],
    ['logs shop --instance web-1', /^hello from shop\.web-1\n$/],
    ['rollback shop-rollout', /from version 2 back to 1/],
    ['delete deployment shop-rollout --dry-run', /would be deleted/],
  ]
  for (const [line, words] of commands) {
    const shown = await cli(line.split(' '))
    t.is(shown.exitCode, 0, `${line}: ${shown.err}`)
    t.regex(shown.out, words, line)
    const asJson = await cli([...line.split(' '), '--json'])
    t.notThrows(() => asJson.json(), `${line}: ${asJson.out}`)
    t.is(asJson.err, '')
  }
})

test('logs of several containers are told apart, a followed one ends with Ctrl-C', async (t) => {
  const { cli } = await open(t)
  await cli(['apply', '-f', '-'], { stdin: application })
  const both = await cli(['logs', 'shop'])
  t.is(both.out, 'shop-1/shop.web-1/server | hello from shop.web-1\nshop-1/shop.web-2/server | hello from shop.web-2\n')
  const none = await cli(['logs', 'shop', '--service', 'till'])
  t.regex(none.err, /there are shop-1\/shop\.web-1\/server, shop-1\/shop\.web-2\/server/)
  const interrupt = new AbortController()
  const end = await cli(['logs', 'shop', '--instance', 'web-1', '-f'], {
    signal: interrupt.signal,
    onOut: () => interrupt.abort(),
  })
  t.is(end.out, 'hello from shop.web-1\n')
  t.is(end.err, '')
})

test('exec ends with the exit code of its command', async (t) => {
  const { cli } = await open(t)
  await cli(['apply', '-f', '-'], { stdin: application })
  const done = await cli(['exec', 'shop', '--instance', 'web-1', '--', 'echo', '--json', '-l'])
  t.is(done.out, 'echo --json -l\n')
  t.is(done.exitCode, 0)
  t.is((await cli(['exec', 'shop', '--', 'false'])).exitCode, 7)
})

test('what is not understood ends with 2 and a suggestion', async (t) => {
  const { cli } = await open(t)
  for (const [line, words] of [
    ['aply', /unknown command 'aply'[\s\S]*Did you mean apply\?/],
    ['zones plicy', /unknown command 'zones plicy'[\s\S]*Did you mean policy\?/],
    ['status --jsn', /unknown option '--jsn'[\s\S]*Did you mean --json\?/],
    ['apply', /required option '-f, --file <file>' not specified/],
    ['get aplications', /there is no kind "aplications".*did you mean applications\?/],
    ['logs shop --tail 3x', /--tail: "3x" is not a size/],
    ['status --endpoint http://x', /write https:\/\/HOST:PORT, or unix:PATH/],
    ['status --endpoint https://127.0.0.1:1', /--fingerprint is missing/],
  ] as const) {
    const shown = await cli(line.split(' '))
    t.is(shown.exitCode, 2, line)
    t.regex(shown.err, words, line)
    t.is(shown.out, '')
  }
})

test('help documents every command with an example', async (t) => {
  const help = await run('.', ['--help'])
  t.is(help.exitCode, 0)
  const names = [...help.out.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name ?? '')
  t.true(names.length >= 14)
  for (const name of names.filter((one) => one !== 'help')) {
    const shown = await run('.', [name, '--help'])
    t.is(shown.exitCode, 0)
    t.regex(shown.out, /Examples:\n {2}\$ skerry /, name)
    t.false(shown.out.includes('\u001b'))
  }
})

test('a node that does not answer ends with 3 and says what to do', async (t) => {
  const { cli, dir, api, fingerprintOf } = { ...(await open(t)), fingerprintOf: 'AA:'.repeat(31) }
  await api.stop()
  for (const argv of [
    ['status'],
    ['status', '--home', join(dir, 'empty')],
    ['status', '--endpoint', `unix:${dir}/api.sock`],
    ['status', '--endpoint', 'https://127.0.0.1:1', '--fingerprint', fingerprintOf, '--token-file', join(dir, 'token')],
  ]) {
    const shown = await cli(argv)
    t.is(shown.exitCode, 3, argv.join(' '))
    t.regex(shown.err, /skerry up/)
  }
})

test('the loopback socket is an endpoint too', async (t) => {
  const { cli, dir } = await open(t)
  t.is((await cli(['tree', '--endpoint', `unix:${dir}/api.sock`])).exitCode, 0)
})

/** Key and certificate of a node that is not ours. */
const otherCertificate = async (t: ExecutionContext) => {
  const other = await open(t)
  const pem = readFileSync(join(other.dir, 'certificate', 'api.pem'), 'utf8')
  return { key: pem, cert: pem }
}

test('a server with another certificate is refused before a byte of the request is sent', async (t) => {
  const { dir, api } = await open(t)
  const received: Uint8Array[] = []
  const finished = Promise.withResolvers<void>()
  const other = createTlsServer(await otherCertificate(t), (socket) => {
    socket.on('data', (chunk) => received.push(chunk))
    socket.on('error', () => {})
  })
  other.on('connection', (socket) => socket.once('close', () => finished.resolve()))
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', () => resolve()))
  t.teardown(() => other.close())
  const { port } = other.address() as { port: number }
  const profile = readProfile(dir)
  if (profile) writeProfile(dir, { ...profile, endpoint: `https://127.0.0.1:${port}` })
  const shown = await run(dir, ['status'])
  t.is(shown.exitCode, 1)
  t.regex(shown.err, /showed another certificate than the pinned one, and nothing was sent to it/)
  t.true(shown.err.includes(api.fingerprint))
  await finished.promise
  t.deepEqual(received, [])
})

test('the token of the profile never goes to another endpoint', async (t) => {
  const { cli } = await open(t)
  const listener = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', () => resolve()))
  t.teardown(() => listener.close())
  const { port } = listener.address() as { port: number }
  const shown = await cli(['status', '--endpoint', `https://127.0.0.1:${port}`, '--fingerprint', 'AA'])
  t.is(shown.exitCode, 2)
  t.regex(shown.err, /--token-file is missing/)
})

test('a profile that cannot be read is refused, not ignored', async (t) => {
  const { cli, file } = await open(t)
  file('cli.json', '{"version": 2}')
  const shown = await cli(['status'])
  t.is(shown.exitCode, 1)
  t.regex(shown.err, /cli\.json cannot be read: write it anew with "skerry up"/)
})
