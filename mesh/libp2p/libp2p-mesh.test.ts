import { createServer } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { createLog, createManualClock, type LogLine } from '../../base/index.ts'
import { createFrameReader, encodeFrame } from '../frames.ts'
import { encodeHello } from '../hello.ts'
import { meshContract } from '../mesh.contract.ts'
import type { MeshLink } from '../mesh.ts'
import { MeshError } from '../mesh-error.ts'
import type { Libp2pMeshOptions } from './index.ts'
import { makeNode, nodes, portOf, startRawCaller, startRelay, turn, until } from './loopback.contract.ts'

for (const [carrier, scheme] of [
  ['TCP', ''],
  ['WebSocket', 'ws://'],
])
  meshContract(test, `libp2p over ${carrier}`, async (t) => {
    const farLog: LogLine[] = []
    const far = makeNode({
      seed: nodes.far.seed,
      listen: [`${scheme}127.0.0.1:0`],
      log: createLog((line) => void farLog.push(line)),
    })
    const relay = await startRelay(t, () => portOf(far.addresses()[0]))
    return {
      near: makeNode({}),
      far,
      newer: makeNode({ version: 2 }),
      nearKey: nodes.near.key,
      farKey: nodes.far.key,
      farLog,
      address: `${scheme}127.0.0.1:${relay.port}`,
      cut: relay.cut,
    }
  })

const startFar = async (t: ExecutionContext, options: Partial<Libp2pMeshOptions> = {}) => {
  const lines: LogLine[] = []
  const clock = createManualClock()
  const far = makeNode({
    seed: nodes.far.seed,
    listen: ['127.0.0.1:0'],
    clock,
    log: createLog((line) => void lines.push(line)),
    ...options,
  })
  const links: MeshLink[] = []
  far.onLink((link) => void links.push(link))
  await far.start()
  t.teardown(() => far.stop())
  return { far, links, lines, clock, address: far.addresses()[0] ?? '' }
}

const unreachable = async (t: ExecutionContext, words: RegExp, dial: () => Promise<unknown>) => {
  const error = await t.throwsAsync(dial, { instanceOf: MeshError })
  t.is((error as MeshError).code, 'unreachable')
  t.regex(error?.message ?? '', words)
}

test('a node of another network is refused by the handshake, and the words say so', async (t) => {
  const { far, address, lines } = await startFar(t)
  const stranger = makeNode({ prologue: new TextEncoder().encode('another network') })
  t.teardown(() => stranger.stop())
  for (let time = 0; time < 3; time++)
    await unreachable(t, /it belongs to another network/, () => stranger.dial(address, { timeoutMs: 5000 }))
  await until(() => far.counts()['other-network'] === 3, 'all three are counted')
  t.is(lines.filter(({ level }) => level === 'warn').length, 1)
  t.is(stranger.counts()['dial-failed'], 3)
})

test('nobody there and a silent listener are told apart', async (t) => {
  const clock = createManualClock()
  const caller = makeNode({ clock })
  t.teardown(() => caller.stop())
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  const dialing = caller.dial(`127.0.0.1:${port}`, { timeoutMs: 300 })
  const waiting = unreachable(t, /no answer within 300 ms/, () => dialing)
  await until(() => clock.nextTimerMs() !== undefined, 'the dial has a deadline')
  clock.advance(300)
  await waiting
  await new Promise((resolve) => silent.close(resolve))
  await unreachable(t, /ECONNREFUSED/, () => caller.dial(`127.0.0.1:${port}`, { timeoutMs: 300 }))
})

test('a node does not link to itself', async (t) => {
  const { far, address } = await startFar(t)
  await unreachable(t, /self/, () => far.dial(address, { timeoutMs: 5000 }))
})

test('two nodes cannot listen at one address, and the second leaves nothing behind', async (t) => {
  const { address } = await startFar(t)
  for (const listen of [[address], ['127.0.0.1:0', address]]) {
    const second = makeNode({ listen })
    const error = await t.throwsAsync(second.start(), { instanceOf: MeshError })
    t.is((error as MeshError).code, 'address-in-use')
    t.true(error?.message.includes(address))
    t.deepEqual(second.addresses(), [])
  }
})

test('one node listens over TCP and WebSocket at once', async (t) => {
  const { far } = await startFar(t, { listen: ['127.0.0.1:0', 'ws://127.0.0.1:0'] })
  const [tcp = '', web = ''] = far.addresses().toSorted()
  t.regex(tcp, /^127\.0\.0\.1:\d+$/)
  t.regex(web, /^ws:\/\/127\.0\.0\.1:\d+$/)
  const near = makeNode({})
  t.teardown(() => near.stop())
  for (const address of [tcp, web]) t.is((await near.dial(address, { timeoutMs: 5000 })).peer, nodes.far.key)
})

test('two dials of one address at once make two links', async (t) => {
  const { links, address } = await startFar(t)
  const near = makeNode({})
  t.teardown(() => near.stop())
  const [one, other] = await Promise.all([1, 2].map(() => near.dial(address, { timeoutMs: 5000 })))
  await until(() => links.length === 2, 'both arrive')
  await one?.close()
  t.is(typeof (await links[0]?.closed), 'string')
  const stream = await other?.openStream('still there')
  await stream?.send(new Uint8Array(1))
  t.pass()
})

test('the third link of one key takes the place of its oldest', async (t) => {
  const { links, address } = await startFar(t)
  const near = makeNode({})
  t.teardown(() => near.stop())
  const dialed = [await near.dial(address, { timeoutMs: 5000 }), await near.dial(address, { timeoutMs: 5000 })]
  dialed.push(await near.dial(address, { timeoutMs: 5000 }))
  t.is(await dialed[0]?.closed, `closed by ${nodes.far.key}`)
  let gone = 0
  for (const link of dialed.slice(1)) void link.closed.then(() => gone++)
  await until(() => links.length === 3, 'all arrived')
  for (const link of dialed.slice(1)) await (await link.openStream('alive')).send(new Uint8Array(1))
  t.is(gone, 0)
})

test('a peer that goes silent without a word is given up after two heartbeats by who called, after six by who was called', async (t) => {
  const clock = createManualClock()
  const { far, links } = await startFar(t, { clock })
  const relay = await startRelay(t, () => portOf(far.addresses()[0]))
  const near = makeNode({ clock })
  t.teardown(() => near.stop())
  const link = await near.dial(`127.0.0.1:${relay.port}`, { timeoutMs: 5000 })
  await until(() => links.length === 1, 'the link arrives')
  relay.swallow()
  const gone: string[] = []
  for (const end of [link, links[0]!]) void end.closed.then((reason) => gone.push(reason))
  clock.advance(19_000)
  await turn()
  t.deepEqual(gone, [])
  clock.advance(1_000)
  await until(() => gone.length === 1, 'who called gives up')
  clock.advance(39_000)
  await turn()
  t.is(gone.length, 1)
  clock.advance(1_000)
  await until(() => gone.length === 2, 'who was called gives up')
  for (const reason of gone) t.regex(reason, /^nothing heard for (20s|1m)$/)
})

test('signs of life keep a quiet link, also with a peer that beats twice as often and gives up sooner', async (t) => {
  const { clock, address, links } = await startFar(t)
  const caller = await startRawCaller(t, 7)
  const { stream, received } = await caller.call(address)
  stream.send(encodeFrame({ kind: 'hello', stream: 0, payload: encodeHello() }))
  await until(() => links.length === 1, 'the greeting is through')
  let gone = false
  void links[0]?.closed.then(() => {
    gone = true
  })
  const ping = encodeFrame({ kind: 'ping', stream: 0, payload: new Uint8Array(0) })
  const kinds = () => createFrameReader()(Buffer.concat(received)).map(({ kind }) => kind)
  for (let beat = 0; beat < 5; beat++) {
    const before = kinds().length
    stream.send(ping)
    clock.advance(5_000)
    await until(() => kinds().length > before, 'it says that it lives')
  }
  t.false(gone)
  t.deepEqual(kinds(), ['hello', 'ping', 'ping', 'ping', 'ping', 'ping'])
})

test('a stopped node dials no more until it starts again', async (t) => {
  const { address } = await startFar(t)
  const near = makeNode({})
  await near.start()
  await near.stop()
  await unreachable(t, /stopped/, () => near.dial(address, { timeoutMs: 5000 }))
  await near.start()
  t.teardown(() => near.stop())
  t.is((await near.dial(address, { timeoutMs: 5000 })).peer, nodes.far.key)
})
