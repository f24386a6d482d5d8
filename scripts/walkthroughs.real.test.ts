import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import test from 'ava'
import { matchesOutput, type Step, stepsOf } from './walkthroughs.ts'

const root = dirname(import.meta.dirname)
const deadlineMs = 100_000
const mark = '\u001e'

const inPath = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return folder !== ''
    } catch {
      return false
    }
  })

const isRoot = process.platform === 'linux' && process.getuid?.() === 0
const noContainers = isRoot
  ? inPath('containerd')
    ? undefined
    : 'there is no containerd in PATH'
  : 'containers need root on Linux'

/** `skerry` as the page means it: the bundle, with the runtime chosen, and errors where output is compared. */
const skerryShim = (runtime: string, folder: string) => `#!/bin/sh
case "$1" in up) shift; set -- up --runtime ${runtime} "$@" ;; esac
"${process.execPath}" "${join(root, 'scripts', 'bin', 'skerry.mjs')}" "$@" 2>"${folder}/errors.$$"
code=$?
cat "${folder}/errors.$$" >&2
grep '^error:' "${folder}/errors.$$"
rm -f "${folder}/errors.$$"
exit $code
`

/** For machines without curl: the one use of it in the pages. */
const curlShim = `#!/bin/sh
exec "${process.execPath}" -e 'fetch(process.argv[2]).then((a) => a.text()).then((t) => process.stdout.write(t), () => process.exit(7))' -- "$@"
`

interface Place {
  readonly work: string
  readonly env: NodeJS.ProcessEnv
  remove(): string | undefined
}

const createPlace = (runtime: string): Place => {
  const folder = mkdtempSync(join(tmpdir(), 'walk-'))
  const [bin, work] = [join(folder, 'bin'), join(folder, 'work')]
  mkdirSync(bin)
  mkdirSync(work)
  writeFileSync(join(bin, 'skerry'), skerryShim(runtime, folder), { mode: 0o755 })
  if (!inPath('curl')) writeFileSync(join(bin, 'curl'), curlShim, { mode: 0o755 })
  const { SKERRY_HOME: _, ...inherited } = process.env
  const path = [bin, dirname(process.execPath), process.env.PATH ?? ''].join(delimiter)
  const env = { ...inherited, PATH: path, SKERRY: root }
  return {
    work,
    env,
    remove: () => {
      const down = spawnSync('skerry', ['down', '--remove'], { cwd: work, env, encoding: 'utf8' })
      // What could not be ended stays to be looked at.
      if (down.status !== 0) return `${down.stdout}${down.stderr}\n${folder} was left as it is`
      rmSync(folder, { recursive: true, force: true })
      return undefined
    },
  }
}

interface Ran {
  /** Output and exit code of each step that came to its end, in order; the output of the one that did not. */
  readonly outputs: readonly { readonly text: string; readonly code: number | undefined }[]
  readonly errors: string
}

/** All steps in one shell, so that what one sets the next can use. */
const runSteps = (steps: readonly Step[], { work, env }: Place): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn('bash', ['-s'], { cwd: work, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    const text = { out: '', err: '' }
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text.out += part
    })
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      text.err += part
    })
    const timer = setTimeout(() => {
      text.err += `\nnot done after ${deadlineMs / 1000} s`
      if (child.pid) process.kill(-child.pid, 'SIGKILL')
    }, deadlineMs)
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(timer)
      const pieces = text.out.split(mark)
      const outputs = pieces.map((piece, at) => {
        const code = at === 0 ? '' : piece.slice(0, piece.indexOf('\n'))
        return { text: at === 0 ? piece : piece.slice(code.length + 1), code: pieces[at + 1]?.split('\n')[0] }
      })
      const withCodes = outputs.map(({ text, code }) => ({ text, code: code === undefined ? undefined : Number(code) }))
      resolve({ outputs: withCodes, errors: text.err })
    })
    // A shell that reads its script from standard input must not lend that to the commands.
    const script = steps.map(({ commands }) => `{\n${commands}\n} < /dev/null\nprintf '${mark}%s\\n' "$?"\n`).join('')
    child.stdin.end(script)
  })

for (const page of ['first-application', 'offline', 'autonomy', 'two-aggregators', 'privacy'])
  for (const runtime of ['containerd', 'process'] as const) {
    const title = `the walkthrough ${page} does what it says with ${runtime}`
    const reason = runtime === 'containerd' ? noContainers : undefined
    if (reason !== undefined) {
      test.skip(`${title}: ${reason}`, () => {})
      continue
    }
    test.serial(title, async (t) => {
      t.timeout(deadlineMs + 60_000)
      const place = createPlace(runtime)
      t.teardown(() => {
        const left = place.remove()
        if (left !== undefined) throw new Error(left)
      })
      const file = join('docs', 'walkthroughs', `${page}.md`)
      const steps = stepsOf(readFileSync(join(root, file), 'utf8'), runtime)
      t.true(steps.length > 5)
      const { outputs, errors } = await runSteps(steps, place)
      for (const [at, step] of steps.entries()) {
        const output = outputs[at]
        const holds = output?.code === 0 && matchesOutput(step.expected, output.text)
        if (!holds)
          return t.fail(
            [
              `${file}:${step.line}:`,
              step.commands,
              `--- expected ---\n${step.expected}`,
              `--- printed (exit code ${output?.code}) ---\n${output?.text}`,
              `--- standard error of all steps, the end ---\n${errors.slice(-2_000)}`,
            ].join('\n'),
          )
      }
      t.pass()
    })
  }
