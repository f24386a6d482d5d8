import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createSeededRandom } from '../../base/index.ts'
import { containersContract, eventually, processClock } from '../containers.contract.ts'
import type { ContainerOwner, ContainerSpec, Containers } from '../containers.ts'
import { buildArchive } from '../oci/index.ts'
import { createProcessContainers, processLabel } from './index.ts'
import { createProcessTable, killGroup, psTable } from './process-table.ts'
import { parsePids } from './supervisor.ts'

const program = `
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
const [word, ...rest] = process.argv.slice(2)
if (word === 'exit') process.exit(Number(rest[0]))
if (word === 'say') console.log(rest.join(' '))
if (word === 'fork') (await import('node:child_process')).spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
if (word === 'stubborn') process.on('SIGTERM', () => console.log('no')), console.log('deaf')
if (word === 'files') console.log(readFileSync(JSON.parse(process.env.SKERRY_FILES)['/etc/app'] + '/motto', 'utf8'))
if (word === 'serve')
  createServer((_, answer) => answer.end('hello from ' + process.env.NAME)).listen(process.env.SKERRY_PORT_80, process.env.SKERRY_HOST)
setInterval(() => {}, 1000)
`

const makeArchives = async () => {
  const dir = await mkdtemp(join(tmpdir(), 'skerry-p-'))
  const write = async (file: string, name: string, labels: Record<string, string>) => {
    const files = [{ path: 'app/main.mjs', data: program }]
    await writeFile(join(dir, file), await buildArchive({ name, files, config: { labels } }))
  }
  await write('good.tar', 'contract/app:1', { [processLabel]: '["app/main.mjs"]' })
  await write('plain.tar', 'contract/plain:1', {})
  await write('odd.tar', 'contract/odd:1', { [processLabel]: 'node server' })
  await writeFile(join(dir, 'bad.tar'), 'this is no archive')
  const dataDir = join(dir, 'data')
  let seed = 1
  const open = () => createProcessContainers({ dataDir, clock: processClock, random: createSeededRandom(seed++) })
  return { dir, dataDir, open, close: () => rm(dir, { recursive: true, force: true }) }
}

const portRange = [23_400, 23_409] as const

containersContract(test, 'process', async () => {
  const { dir, open, close } = await makeArchives()
  return {
    open,
    archive: { path: join(dir, 'good.tar'), image: 'contract/app:1' },
    badArchivePath: join(dir, 'bad.tar'),
    programs: {
      forever: { cmd: ['run'] },
      exit: (code) => ({ cmd: ['exit', String(code)] }),
      say: (text) => ({ cmd: ['say', text] }),
    },
    commands: {
      hello: ['node', '-e', 'console.log("hello")'],
      exit3: ['node', '-e', 'process.exit(3)'],
      hang: ['node', '-e', 'setInterval(() => {}, 1000)'],
    },
    portRange,
    kill: ({ pid }) => void process.kill(pid, 'SIGKILL'),
    close,
  }
})

const owner: ContainerOwner = {
  tenant: 'acme',
  application: 'web',
  service: 'shop',
  instance: 'web.shop-1',
  container: 'main',
  version: '1',
  revision: 'r',
  specHash: 's',
}

const specOf = (part: Partial<ContainerSpec>): ContainerSpec => ({
  image: 'contract/app:1',
  env: {},
  mounts: [],
  shutdownTimeoutMs: 300,
  logSizeBytes: 65_536,
  ...part,
})

const createStage = async (
  t: ExecutionContext,
  ports = [{ protocol: 'tcp' as const, containerPort: 80, hostPort: 23_405 }],
) => {
  const { dir, dataDir, open, close } = await makeArchives()
  const containers = open()
  await containers.start()
  t.teardown(async () => {
    for (const { id } of (await containers.observe()).containers)
      await containers.removeContainer(id, { shutdownTimeoutMs: 100 })
    await containers.stop()
    await close()
  })
  for (const file of ['good.tar', 'plain.tar']) await containers.importImage(join(dir, file))
  await containers.attachNetwork({ instance: owner.instance, tenant: 'acme', networkHash: 'n', ports })
  return { dir, dataDir, containers }
}

const logOf = async (containers: Containers) => {
  let text = ''
  for await (const { bytes } of containers.readLog(owner, { tailBytes: 65_536, follow: false }))
    text += Buffer.from(bytes).toString()
  return text
}

/** An ended process that nobody has reaped yet (state Z of proc(5)) is not alive. */
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const status = `/proc/${pid}/status`
  return !existsSync(status) || !/^State:\s+Z/m.test(readFileSync(status, 'utf8'))
}

test.serial('a server is told its port and answers on 127.0.0.1', async (t) => {
  const { containers } = await createStage(t)
  await containers.startContainer(owner, specOf({ cmd: ['serve'], env: { NAME: 'site one' } }))
  const body = await eventually(t, 'an answer', async () => {
    const answer = await fetch('http://127.0.0.1:23405/').catch(() => undefined)
    return answer?.text()
  })
  t.is(body, 'hello from site one')
  t.deepEqual(await containers.addressOf(owner.instance, 'acme', 80), { host: '127.0.0.1', port: 23_405 })
})

test.serial('an image without the label is refused: this image needs containerd', async (t) => {
  const { containers } = await createStage(t)
  const start = containers.startContainer(owner, specOf({ image: 'contract/plain:1' }))
  await t.throwsAsync(start, { code: 'needs-containerd', message: /this image needs containerd/ })
  const shell = containers.startContainer(owner, specOf({ entrypoint: ['/bin/sh'] }))
  await t.throwsAsync(shell, { code: 'needs-containerd', message: /this image needs containerd/ })
  t.deepEqual((await containers.observe()).containers, [])
})

test.serial('a label that is no list and a script that is not there are refused', async (t) => {
  const { dir, containers } = await createStage(t)
  await t.throwsAsync(containers.importImage(join(dir, 'odd.tar')), { code: 'bad-image', message: /skerry\/process/ })
  const start = containers.startContainer(owner, specOf({ entrypoint: ['node', '../../etc/passwd'] }))
  await t.throwsAsync(start, { code: 'start-failed' })
})

test.serial('a shell is not run beside a process, a script of the image is', async (t) => {
  const { containers } = await createStage(t)
  const { id } = await containers.startContainer(owner, specOf({ cmd: ['run'] }))
  const run = (args: readonly string[]) => containers.exec(id, { args, timeoutMs: 5_000, maxOutputBytes: 1_024 })
  await t.throwsAsync(run(['/bin/sh', '-c', 'id']), { code: 'exec-failed', message: /use containerd/ })
  t.is((await run(['app/main.mjs', 'exit', '4'])).exitCode, 4)
})

test.serial('mounted files are where SKERRY_FILES says', async (t) => {
  const { containers } = await createStage(t)
  const mounts = [{ kind: 'directory' as const, path: '/etc/app', files: { motto: 'calm seas' } }]
  await containers.startContainer(owner, specOf({ cmd: ['files'], mounts }))
  await eventually(t, 'the motto', async () => (await logOf(containers)).includes('calm seas') || undefined)
  t.regex(await logOf(containers), /calm seas/)
  const bad = [{ kind: 'directory' as const, path: '/etc/app', files: { '../x': '' } }]
  const start = containers.startContainer({ ...owner, container: 'bad' }, specOf({ mounts: bad }))
  await t.throwsAsync(start, { code: 'start-failed' })
})

test.serial('a program that ignores the polite signal is killed in the end', async (t) => {
  const { containers } = await createStage(t)
  const { id, pid } = await containers.startContainer(owner, specOf({ cmd: ['stubborn'] }))
  await eventually(t, 'it listens', async () => (await logOf(containers)).includes('deaf') || undefined)
  await containers.removeContainer(id, { shutdownTimeoutMs: 300 })
  // A dead orphan is seen until the machine's first process takes it in.
  await eventually(t, 'it is gone', () => !isAlive(pid) || undefined)
  t.true((await logOf(containers)).includes('no'), 'it was asked politely first')
})

test.serial('what a program started ends with it', async (t) => {
  const { containers, dataDir } = await createStage(t)
  const { id, pid } = await containers.startContainer(owner, specOf({ cmd: ['fork'] }))
  const pidsFile = join(dataDir, 'containers', id, 'pids')
  t.true(existsSync(pidsFile))
  const group = parsePids(await readFile(pidsFile, 'utf8'))!.supervisor
  const table = createProcessTable()
  await eventually(t, 'three processes', async () => (await table.groupOf(group)).length === 3 || undefined)
  process.kill(pid, 'SIGKILL')
  await eventually(t, 'nothing is left', async () => (await table.groupOf(group)).length === 0 || undefined)
  t.is((await containers.observe()).containers[0]?.state, 'exited')
})

test.serial('a killed supervisor takes its program along, and the container counts as killed', async (t) => {
  const { containers, dataDir } = await createStage(t)
  const { id, pid } = await containers.startContainer(owner, specOf({ cmd: ['run'] }))
  const { supervisor } = parsePids(await readFile(join(dataDir, 'containers', id, 'pids'), 'utf8'))!
  process.kill(supervisor, 'SIGKILL')
  const found = await eventually(t, 'it has ended', async () => {
    const [one] = (await containers.observe()).containers
    return one?.state === 'exited' ? one : undefined
  })
  t.is(found.exitReason, 'killed')
  await eventually(t, 'the program is gone', () => !isAlive(pid) || undefined)
  t.false(isAlive(pid))
})

test.serial('a port somebody else listens on is refused by its number', async (t) => {
  const { containers } = await createStage(t)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(23_406, '127.0.0.1', resolve))
  t.teardown(() => void server.close())
  const ports = [{ protocol: 'tcp' as const, containerPort: 80, hostPort: 23_406 }]
  const error = await t.throwsAsync(
    containers.attachNetwork({ instance: 'web.shop-2', tenant: 'acme', networkHash: 'n', ports }),
    { code: 'port-taken' },
  )
  t.like(error, { details: { hostPort: 23_406 } })
})

test.serial('nothing of the node’s own environment reaches a process', async (t) => {
  const { containers } = await createStage(t)
  process.env.SKERRY_TEST_SECRET = 'hidden'
  const args = ['-e', 'console.log(JSON.stringify(process.env)); setInterval(() => {}, 1000)']
  await containers.startContainer(owner, specOf({ entrypoint: ['node', ...args] }))
  const text = await eventually(t, 'the environment', async () => (await logOf(containers)) || undefined)
  t.false(text.includes('hidden'))
  t.true(text.includes('SKERRY_HOST'))
})

for (const [name, table] of [
  ['the table of this machine', createProcessTable()],
  ['the table made of ps', psTable],
] as const)
  test.serial(`${name} knows our processes and no others`, async (t) => {
    const { containers, dataDir } = await createStage(t)
    const { id, pid } = await containers.startContainer(owner, specOf({ cmd: ['run'] }))
    const { token } = JSON.parse(await readFile(join(dataDir, 'containers', id, 'record.json'), 'utf8'))
    const { supervisor } = parsePids(await readFile(join(dataDir, 'containers', id, 'pids'), 'utf8'))!
    await eventually(t, 'the program is Node', async () => (await table.carries(pid, token)) || undefined)
    t.true(await table.carries(supervisor, token))
    t.false(await table.carries(process.pid, token))
    t.deepEqual((await table.groupOf(supervisor)).toSorted(), [supervisor, pid].toSorted())
    t.false(await killGroup(table, supervisor, 'skerry-of-somebody-else'))
    t.true(isAlive(pid))
    t.true(await killGroup(table, supervisor, token))
    await eventually(t, 'both are gone', async () => (await table.groupOf(supervisor)).length === 0 || undefined)
  })
