import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createLog, createManualClock, type LogLine, silentLog } from '../base/index.ts'
import { createFrameReader, encodeFrame, type Frame } from './frames.ts'
import { encodeHello } from './local-hello.ts'
import { createLocalMesh, type LocalMeshOptions } from './local-mesh.ts'
import { meshContract } from './mesh.contract.ts'
import type { MeshLink } from './mesh.ts'
import { MeshError } from './mesh-error.ts'

const makeFolder = async (t: ExecutionContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'skm-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const makeNode = (options: Partial<LocalMeshOptions> & { name: string }) =>
  createLocalMesh({ network: 'test', clock: createManualClock(), log: silentLog, ...options })

const isRefusal = (words: RegExp) => (error: unknown) =>
  error instanceof MeshError && error.code === 'unreachable' && words.test(error.message)

/** A link whose middle can be cut: a plain relay between two socket paths. */
const startRelay = async (t: ExecutionContext, from: string, to: string) => {
  const sockets = new Set<Socket>()
  const relay = createServer((near) => {
    const far = createConnection(to)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => relay.listen(from, resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    relay.close()
  })
  return { cut: () => sockets.forEach((socket) => void socket.destroy()) }
}

meshContract(test, 'local', async (t) => {
  const folder = await makeFolder(t)
  const relay = await startRelay(t, join(folder, 'relay'), join(folder, 'far'))
  const [nearKey, farKey] = ['aa'.repeat(32), 'bb'.repeat(32)] as const
  return {
    near: makeNode({ name: nearKey }),
    far: makeNode({ name: farKey, address: join(folder, 'far') }),
    nearKey,
    farKey,
    farLog: [],
    keepsPriority: false,
    address: join(folder, 'relay'),
    cut: relay.cut,
  }
})

/** A listening node and a bare socket to it that says only what the test says. */
const startWithStranger = async (t: ExecutionContext) => {
  const folder = await makeFolder(t)
  const address = join(folder, 'node')
  const lines: LogLine[] = []
  const clock = createManualClock()
  const mesh = makeNode({ name: 'node', address, clock, log: createLog((line) => void lines.push(line)) })
  const arrived = Promise.withResolvers<MeshLink>()
  mesh.onLink((link) => arrived.resolve(link))
  await mesh.start()
  const stranger = createConnection(address)
  stranger.on('error', () => {})
  const heard: Frame[] = []
  const read = createFrameReader()
  stranger.on('data', (chunk) => void heard.push(...read(chunk)))
  const ended = new Promise<void>((resolve) => stranger.once('close', () => resolve()))
  t.teardown(async () => {
    stranger.destroy()
    await mesh.stop()
  })
  const greet = (version = 1, network = 'test') =>
    stranger.write(
      encodeFrame({ kind: 'hello', stream: 0, payload: encodeHello({ version, name: 'stranger', network }) }),
    )
  return { address, mesh, stranger, heard, ended, greet, arrived: arrived.promise, lines, clock }
}

const warnings = (lines: readonly LogLine[]) =>
  lines.filter(({ level }) => level === 'warn').map(({ message }) => message)

test('the socket can be opened by its owner only', async (t) => {
  const { address } = await startWithStranger(t)
  t.is((await stat(address)).mode & 0o777, 0o600)
})

test('a socket file left by a killed node is replaced', async (t) => {
  const folder = await makeFolder(t)
  const address = join(folder, 'node')
  const leave = `require('node:net').createServer().listen(${JSON.stringify(address)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', leave])
  t.true((await stat(address)).isSocket())
  const mesh = makeNode({ name: 'node', address })
  t.teardown(() => mesh.stop())
  await mesh.start()
  mesh.onLink(() => {})
  const link = await makeNode({ name: 'caller' }).dial(address, { timeoutMs: 1000 })
  t.is(link.peer, 'node')
  await link.close()
})

test('an address where a node lives is not taken from it', async (t) => {
  const { address } = await startWithStranger(t)
  const error = await t.throwsAsync(makeNode({ name: 'thief', address }).start(), { instanceOf: MeshError })
  t.is((error as MeshError).code, 'address-in-use')
})

test('a path too long for a socket is refused in words', async (t) => {
  const address = `/tmp/${'long/'.repeat(30)}socket`
  const error = await t.throwsAsync(makeNode({ name: 'node', address }).start(), { instanceOf: MeshError })
  t.is((error as MeshError).code, 'bad-address')
  t.regex((error as MeshError).message, /shorter path/)
})

test('a node of another network is refused in words at both ends', async (t) => {
  const { address, lines } = await startWithStranger(t)
  const caller = makeNode({ name: 'caller', network: 'other' })
  const error = await t.throwsAsync(caller.dial(address, { timeoutMs: 1000 }))
  t.true(isRefusal(/caller belongs to network other, node to test/)(error), String(error))
  t.true(lines.some(({ message }) => /belongs to network other/.test(message)))
})

test('a newer version is refused in words', async (t) => {
  const { greet, heard, ended } = await startWithStranger(t)
  greet(2)
  await ended
  t.deepEqual(
    heard.map(({ kind, payload }) => [kind, new TextDecoder().decode(payload)]),
    [['refuse', 'stranger speaks version 2 of the local link, node only 1: update node']],
  )
})

test('garbage instead of a greeting cuts the caller off, with one line in the log', async (t) => {
  const { stranger, ended, lines } = await startWithStranger(t)
  stranger.write('GET / HTTP/1.1\r\n\r\n')
  stranger.write('GET / HTTP/1.1\r\n\r\n')
  await ended
  t.is(warnings(lines).length, 1)
  t.regex(warnings(lines)[0] ?? '', /caller sent garbage/)
})

for (const [what, bytes] of Object.entries({
  'a frame longer than any': Uint8Array.from([0xff, 0xff, 0xff, 0xff, 4, 0, 0, 0, 1]),
  'an unknown kind': Uint8Array.from([0, 0, 0, 5, 99, 0, 0, 0, 1]),
  'a stream opened in our name': encodeFrame({ kind: 'open', stream: 2, payload: new Uint8Array(0) }),
}))
  test(`${what} ends the link, with one line in the log`, async (t) => {
    const { stranger, greet, arrived, ended, lines } = await startWithStranger(t)
    greet()
    const link = await arrived
    stranger.write(bytes)
    stranger.write(bytes)
    t.is(typeof (await link.closed), 'string')
    await ended
    t.is(warnings(lines).length, 1)
    t.regex(warnings(lines)[0] ?? '', /link to stranger sent garbage/)
  })

test('a peer that sends past its window loses its link', async (t) => {
  const { stranger, greet, arrived } = await startWithStranger(t)
  greet()
  const link = await arrived
  stranger.write(encodeFrame({ kind: 'open', stream: 1, payload: Uint8Array.of(0) }))
  const flood = encodeFrame({ kind: 'data', stream: 1, payload: new Uint8Array(60_000) })
  for (let sent = 0; sent < 40; sent++) stranger.write(flood)
  t.regex(await link.closed, /more on stream .* than its window/)
})

test('a peer that says nothing more is given up after three heartbeats', async (t) => {
  const { greet, arrived, clock } = await startWithStranger(t)
  greet()
  const link = await arrived
  let reason: string | undefined
  const gone = link.closed.then((words) => {
    reason = words
  })
  clock.advance(10_000)
  t.is(reason, undefined)
  clock.advance(5_000)
  await gone
  t.is(reason, 'nothing heard for 15s')
})

test('signs of life keep a quiet link', async (t) => {
  const folder = await makeFolder(t)
  const clock = createManualClock()
  const far = makeNode({ name: 'far', address: join(folder, 'far'), clock })
  const arrived = Promise.withResolvers<MeshLink>()
  far.onLink((link) => arrived.resolve(link))
  await far.start()
  const near = makeNode({ name: 'near', clock })
  const link = await near.dial(join(folder, 'far'), { timeoutMs: 1000 })
  t.teardown(async () => {
    await near.stop()
    await far.stop()
  })
  const answer = Promise.withResolvers<void>()
  far.onStream(await arrived.promise, (stream) => {
    answer.resolve()
    stream.abort('only looked')
  })
  for (let beats = 0; beats < 20; beats++) {
    clock.advance(5_000)
    // A turn of the event loop lets the pings cross.
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await link.openStream('still there')
  await answer.promise
  t.pass()
})

test('a caller that never greets is hung up on', async (t) => {
  const { clock, ended, stranger } = await startWithStranger(t)
  await new Promise<void>((resolve) => (stranger.connecting ? stranger.once('connect', resolve) : resolve()))
  while (clock.nextTimerMs() === undefined) await new Promise((resolve) => setImmediate(resolve))
  clock.advance(5_000)
  await ended
  t.true(stranger.destroyed)
})

test('a dial that gets no answer ends at its timeout', async (t) => {
  const folder = await makeFolder(t)
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(join(folder, 'silent'), resolve))
  t.teardown(() => void silent.close())
  const clock = createManualClock()
  const dialing = makeNode({ name: 'caller', clock }).dial(join(folder, 'silent'), { timeoutMs: 300 })
  clock.advance(300)
  const error = await t.throwsAsync(dialing)
  t.true(isRefusal(/no answer within 300 ms/)(error), String(error))
})
