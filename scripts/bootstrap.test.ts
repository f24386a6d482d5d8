import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { isNewEnough } from './setup/node.mjs'

/** Stands in for npm: counts its calls, takes a while, and does what FAKE_NPM says. */
const fakeNpm = `
const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs')
appendFileSync(process.env.FAKE_CALLS, process.argv.slice(2).join(' ') + '\\n')
setTimeout(() => {
  if (process.env.FAKE_NPM === 'offline') {
    console.error('npm ERR! code ENOTFOUND')
    process.exitCode = 1
  } else mkdirSync('node_modules', { recursive: true })
}, 300)
`

/** A checkout in a path with spaces whose only task is `check`; it prints its arguments or waits for a signal. */
const makeCheckout = (t: ExecutionContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry setup '))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const part of ['bootstrap.mjs', 'setup'])
    cpSync(join(import.meta.dirname, part), join(folder, 'scripts', part), { recursive: true })
  const lock = { name: 'x', lockfileVersion: 3, packages: { '': {}, 'node_modules/a': { version: '1.0.0' } } }
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock))
  writeFileSync(join(folder, 'npm-cli.cjs'), fakeNpm)
  const task = `
    if (process.argv.includes('wait')) {
      process.on('SIGTERM', () => process.exit(7))
      setInterval(() => {}, 1000)
      console.log('waiting')
    } else {
      console.log(JSON.stringify(process.argv.slice(2)))
      process.exitCode = 3
    }`
  writeFileSync(join(folder, 'scripts', 'check.ts'), task)
  return folder
}

const start = (folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess =>
  spawn(process.execPath, [join(folder, 'scripts', 'bootstrap.mjs'), ...args], {
    cwd: tmpdir(),
    env: { ...process.env, npm_execpath: join(folder, 'npm-cli.cjs'), FAKE_CALLS: join(folder, 'calls'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

const finish = async (child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> => {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, stdout, stderr }
}

const calls = (folder: string): string[] => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n')

test('a task gets its arguments and a clean standard output, and its exit code is kept', async (t) => {
  const folder = makeCheckout(t)
  const { code, stdout, stderr } = await finish(start(folder, ['check', '--json', 'a b']))
  t.is(stdout, '["--json","a b"]\n')
  t.is(code, 3)
  t.regex(stderr, /installing dependencies into node_modules/)
})

test('dependencies are installed once, and again when the lock file changed', async (t) => {
  const folder = makeCheckout(t)
  await finish(start(folder, ['check']))
  await finish(start(folder, ['check']))
  t.is(calls(folder).length, 1)
  t.regex(calls(folder)[0] ?? '', /^ci /)
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: { '': {}, 'node_modules/b': {} } }))
  await finish(start(folder, ['check']))
  t.is(calls(folder).length, 2)
})

test('what npm ci installed by hand is taken as it is', async (t) => {
  const folder = makeCheckout(t)
  mkdirSync(join(folder, 'node_modules'))
  const hidden = { packages: { 'node_modules/a': { version: '1.0.0' } } }
  writeFileSync(join(folder, 'node_modules', '.package-lock.json'), JSON.stringify(hidden))
  await finish(start(folder, ['check']))
  t.false(existsSync(join(folder, 'calls')))
})

test('of two runs at once one installs and the other waits for it', async (t) => {
  const folder = makeCheckout(t)
  const [one, two] = await Promise.all([finish(start(folder, ['check'])), finish(start(folder, ['check']))])
  t.deepEqual([one.code, two.code], [3, 3])
  t.is(calls(folder).length, 1)
  t.false(existsSync(join(folder, '.node24', 'setup.lock')))
})

test('a lock left by a killed run is taken over', async (t) => {
  const folder = makeCheckout(t)
  const dead = spawn(process.execPath, ['-e', ''])
  await new Promise((resolve) => dead.once('close', resolve))
  mkdirSync(join(folder, '.node24'))
  writeFileSync(join(folder, '.node24', 'setup.lock'), String(dead.pid))
  t.is((await finish(start(folder, ['check']))).code, 3)
})

test('without a network it says so in words and leaves no lock', async (t) => {
  const folder = makeCheckout(t)
  const { code, stderr, stdout } = await finish(start(folder, ['check'], { FAKE_NPM: 'offline' }))
  t.is(code, 1)
  t.is(stdout, '')
  t.regex(stderr, /cannot get the dependencies: the npm registry cannot be reached.*run the command again/)
  t.notRegex(stderr, /at .*\.mjs:\d+/)
  t.false(existsSync(join(folder, '.node24')))
})

test('a signal reaches the task', async (t) => {
  const folder = makeCheckout(t)
  const child = start(folder, ['check', 'wait'])
  child.stdout?.on('data', () => child.kill('SIGTERM'))
  t.is((await finish(child)).code, 7)
})

test('an unknown task is refused with the list of tasks', async (t) => {
  const folder = makeCheckout(t)
  const { code, stderr } = await finish(start(folder, ['tset']))
  t.is(code, 2)
  t.regex(stderr, /usage: .*demo\|test\|bench/)
})

test('Node 24.12 is new enough, 24.11 and 18 are not', (t) => {
  t.deepEqual(
    ['v18.20.4', 'v24.11.9', 'v24.12.0', 'v24.21.0', 'v26.0.0'].map((version) => isNewEnough(version)),
    [false, false, true, true, true],
  )
})
