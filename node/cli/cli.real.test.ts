import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { openMemoryApi } from '../api/memory/index.ts'
import { systemClock } from '../powers/index.ts'
import { readProfile, writeProfile } from './profile.ts'
import { runCli } from './run-cli.ts'

const application = 'name: shop\nversion: "1"\nservices: []\n'
const deployment = 'name: shop-rollout\napplication: shop\n'

const collector = (onWrite?: () => void) => {
  const parts: Uint8Array[] = []
  return {
    isTty: false,
    write: (chunk: string | Uint8Array) => {
      parts.push(Buffer.from(chunk))
      onWrite?.()
    },
    text: () => Buffer.concat(parts).toString(),
  }
}

const run = async (
  home: string,
  argv: readonly string[],
  given: { stdin?: string; signal?: AbortSignal; env?: Record<string, string>; onOut?: () => void } = {},
) => {
  const [stdout, stderr] = [collector(given.onOut), collector()]
  const exitCode = await runCli(argv, {
    stdout,
    stderr,
    stdin: (async function* () {
      yield Buffer.from(given.stdin ?? '')
    })(),
    env: { SKERRY_HOME: home, ...given.env },
    cwd: home,
    clock: systemClock,
    signal: given.signal ?? new AbortController().signal,
    version: '0.0.0',
  })
  return { exitCode, out: stdout.text(), err: stderr.text(), json: () => JSON.parse(stdout.text()) as unknown }
}

const open = async (t: ExecutionContext) => {
  const memory = await openMemoryApi()
  t.teardown(memory.close)
  const { httpsUrl, fingerprint } = memory.api
  writeProfile(memory.dir, { version: 1, endpoint: httpsUrl, fingerprint, 'token-file': memory.tokenFile, nodes: [] })
  const file = (name: string, text: string | Uint8Array) => {
    writeFileSync(join(memory.dir, name), text)
    return join(memory.dir, name)
  }
  const cli = (argv: readonly string[], given: Parameters<typeof run>[2] = {}) => run(memory.dir, argv, given)
  return { ...memory, cli, file }
}

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
    /importing .*shop\.tar: 585\.9 KiB of 585\.9 KiB\nimported demo\/shop:1\nshop: 2 of 2 ready, 2 running\n/,
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
  t.is((await cli(['status', 'nothing'])).exitCode, 1)
  t.regex((await cli(['apply', '-f', 'gone.yaml'])).err, /^error: cannot read gone\.yaml: /)
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
    ['explain shop --site shop-1', /STOP {2}deployment[\s\S]*what to do: write a deployment/],
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
    ['explain shop', /--site <site>/],
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
