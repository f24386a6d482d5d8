import { createConnection, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { type Clock, createLog, createManualClock, type LogLine } from '../../base/index.ts'
import { encodeFrame, type FrameKind } from '../frames.ts'
import { encodeHello } from '../hello.ts'
import type { MeshLink } from '../mesh.ts'
import type { Libp2pLimits, Libp2pMesh, RefusalKind } from './index.ts'
import { defaultLimits } from './limits.ts'
import { makeNode, nodes, portOf, realClock, startRawCaller, turn, until } from './loopback.contract.ts'

/** Strangers that cost no handshake, and such that do. */
const cheapStrangers = 10_000
const costlyStrangers = 300
const open = Number.MAX_SAFE_INTEGER

const startHub = async (
  t: ExecutionContext,
  limits: Partial<Libp2pLimits> = {},
  clock: Clock = createManualClock(),
) => {
  const lines: LogLine[] = []
  const links: MeshLink[] = []
  const hub = makeNode({
    seed: nodes.far.seed,
    listen: ['127.0.0.1:0', 'ws://127.0.0.1:0'],
    clock,
    limits,
    log: createLog((line) => void lines.push(line)),
  })
  hub.onLink((link) => {
    links.push(link)
    hub.onStream(link, (stream) => {
      const echo = async () => {
        for await (const message of stream.messages) await stream.send(message)
      }
      echo().catch(() => {})
    })
  })
  await hub.start()
  t.teardown(() => hub.stop())
  const addresses = hub.addresses().toSorted()
  return { hub, lines, links, tcp: addresses[0] ?? '', web: addresses[1] ?? '' }
}

/** A link that sends a message whenever the last one came back. */
const startHonest = async (t: ExecutionContext, address: string) => {
  const honest = makeNode({})
  const link = await honest.dial(address, { timeoutMs: 20_000 })
  const stream = await link.openStream('echo')
  let echoed = 0
  let lost: string | undefined
  void link.closed.then((reason) => {
    lost = reason
  })
  const exchange = async () => {
    const replies = stream.messages[Symbol.asyncIterator]()
    for (;;) {
      await stream.send(new Uint8Array(100))
      await replies.next()
      echoed++
      await turn()
    }
  }
  exchange().catch(() => {})
  t.teardown(() => honest.stop())
  return { echoed: () => echoed, lost: () => lost }
}

/** Connects, says `words`, and leaves: at once when it said nothing or too little to be answered, else when it is answered. */
const callOnce = (port: number, words: Uint8Array | undefined): Promise<void> =>
  new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    let timer: NodeJS.Timeout | undefined
    const leave = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve()
    }
    socket.on('error', leave)
    socket.on('close', leave)
    socket.on('data', leave)
    socket.on('connect', () => {
      if (words) socket.write(words)
      timer = setTimeout(leave, words && words.byteLength > 3 ? 2000 : 10)
    })
  })

const inBatches = async (count: number, size: number, work: (at: number) => Promise<unknown>) => {
  for (let at = 0; at < count; at += size) await Promise.all(Array.from({ length: size }, (_, n) => work(at + n)))
}

const sumOf = (hub: Libp2pMesh, kinds: readonly RefusalKind[]) =>
  kinds.reduce((sum, kind) => sum + hub.counts()[kind], 0)

const warnings = (lines: readonly LogLine[]) => lines.filter(({ level }) => level === 'warn').length

/** The heap, as near as it can be told without asking for a collection. */
const heapMb = () => process.memoryUsage().heapUsed / 2 ** 20

for (const [count, where, limits] of [
  [cheapStrangers, 'mostly at the door', {}],
  [cheapStrangers / 5, 'past the door', { inboundPerSecond: open }],
] as const)
  test.serial(
    `${count} strangers that say nothing, or garbage, are refused ${where} and cost no one else`,
    async (t) => {
      const { hub, lines, tcp, web } = await startHub(t, limits, realClock)
      const honest = await startHonest(t, tcp)
      const beforeMb = heapMb()
      const garbage = [
        undefined,
        // Long enough for the length that its first letter is on the plain port.
        Buffer.from(`GET /${'x'.repeat(100)} HTTP/1.1\r\n\r\n`),
        Buffer.alloc(5000, 7),
        Buffer.from([19, 47, 109]),
      ]
      const before = honest.echoed()
      await inBatches(count, 250, (at) => callOnce(portOf(at % 3 === 0 ? web : tcp), garbage[at % 4]))
      t.is(honest.lost(), undefined)
      t.true(honest.echoed() > before + 100, `${honest.echoed() - before} messages came back meanwhile`)
      // Who left by itself was refused nothing.
      const kind = where === 'past the door' ? 'garbage' : 'too-many'
      await until(() => hub.counts()[kind] > count / 3, `many are refused as ${kind}`)
      t.true(warnings(lines) <= 4, lines.map(({ message }) => message).join('\n'))
      t.true(heapMb() - beforeMb < 100, `the heap grew by ${heapMb() - beforeMb} MB`)
    },
  )

test.serial(
  'strangers of another network, and such that know the network and send garbage, are cut off one by one',
  async (t) => {
    const { hub, lines, tcp, web } = await startHub(t, { inboundPerSecond: open })
    const honest = await startHonest(t, tcp)
    const before = honest.echoed()
    const beforeMb = heapMb()
    const stranger = makeNode({ seed: new Uint8Array(32).fill(9), prologue: new Uint8Array(5) })
    t.teardown(() => stranger.stop())
    // One after the other on each address: a node makes one dial of one address at a time.
    const dialAll = async (address: string) => {
      for (let at = 0; at < costlyStrangers / 2; at++)
        await t.throwsAsync(stranger.dial(address, { timeoutMs: 20_000 }), { message: /another network/ })
    }
    await Promise.all([dialAll(tcp), dialAll(web)])
    await until(() => hub.counts()['other-network'] === costlyStrangers, 'all strangers are counted')

    const caller = await startRawCaller(t, 8)
    const hello = encodeFrame({ kind: 'hello', stream: 0, payload: encodeHello() })
    const says = (kind: FrameKind, stream: number, bytes: number) =>
      encodeFrame({ kind, stream, payload: new Uint8Array(bytes) })
    const insults: Readonly<Record<string, Uint8Array>> = {
      'no greeting': says('open', 1, 5),
      'a greeting without a version': says('hello', 0, 0),
      'a frame longer than any': Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0]),
      'a long frame after a greeting': Buffer.concat([hello, Buffer.from([0, 1, 0, 6, 3, 0, 0, 0, 1])]),
      'an unknown kind': Buffer.concat([hello, Buffer.from([0, 0, 0, 5, 99, 0, 0, 0, 1])]),
      'an unknown priority': Buffer.concat([
        hello,
        encodeFrame({ kind: 'open', stream: 1, payload: Uint8Array.of(3) }),
      ]),
      'a stream in our name': Buffer.concat([hello, says('open', 2, 1)]),
      'a second greeting': Buffer.concat([hello, hello]),
      'a purpose without end': Buffer.concat([hello, says('open', 1, 500)]),
      'credit from nowhere': Buffer.concat([
        hello,
        says('open', 1, 1),
        encodeFrame({ kind: 'credit', stream: 1, payload: Uint8Array.of(255, 255, 255, 255) }),
      ]),
    }
    const kinds = Object.keys(insults)
    for (let at = 0; at < costlyStrangers / 2; at++) {
      const { stream, closed } = await caller.call(tcp)
      stream.send(insults[kinds[at % kinds.length] ?? ''] ?? new Uint8Array(0))
      await closed
    }
    await until(() => sumOf(hub, ['garbage', 'oversize']) >= costlyStrangers / 2, 'all garbage is counted')
    t.is(honest.lost(), undefined)
    t.true(honest.echoed() > before + 100)
    t.true(warnings(lines) <= 5, lines.map(({ message }) => message).join('\n'))
    t.true(heapMb() - beforeMb < 100, `the heap grew by ${heapMb() - beforeMb} MB`)
  },
)

/** How many of `count` silent callers a hub keeps. */
const keptOf = async (t: ExecutionContext, count: number, limits: Partial<Libp2pLimits>, clock?: Clock) => {
  const { hub, tcp } = await startHub(t, limits, clock)
  const sockets: Socket[] = []
  let gone = 0
  for (let at = 0; at < count; at++) {
    const socket = createConnection(portOf(tcp), '127.0.0.1')
    socket.on('error', () => {})
    socket.on('close', () => gone++)
    // One that is turned away may be so before it knows that it was connected.
    await new Promise<void>((resolve) => {
      socket.once('connect', () => resolve())
      socket.once('close', () => resolve())
    })
    sockets.push(socket)
  }
  t.teardown(() => sockets.forEach((socket) => void socket.destroy()))
  for (let turns = 0; turns < 50; turns++) await turn()
  return { hub, kept: () => count - gone }
}

const guards: Readonly<Record<string, { limits: Partial<Libp2pLimits>; kept: number }>> = {
  'callers that have not greeted': { limits: { inboundPending: 10 }, kept: 10 },
  'calls a second from one address': { limits: { inboundPerSecond: 10 }, kept: 10 },
  connections: { limits: { connections: 10 }, kept: 10 },
}
for (const [what, { limits, kept }] of Object.entries(guards))
  test(`the limit of ${what} is what holds back a crowd`, async (t) => {
    const crowd = await keptOf(t, 40, limits)
    t.is(crowd.kept(), kept)
    t.is(crowd.hub.counts()['too-many'], 30)
    const unlimited = Object.fromEntries(Object.keys(limits).map((name) => [name, open]))
    t.is((await keptOf(t, 40, unlimited)).kept(), 40)
  })

test('an address that called too often may call again after a while', async (t) => {
  const clock = createManualClock()
  const { tcp, hub } = await startHub(t, { inboundPerSecond: 2 }, clock)
  const near = makeNode({})
  t.teardown(() => near.stop())
  const dial = () => near.dial(tcp, { timeoutMs: 20_000 })
  await dial()
  await dial()
  await t.throwsAsync(dial())
  clock.advance(500)
  await dial()
  t.is(hub.counts()['too-many'], 1)
})

test('the time for a greeting is what ends callers that say nothing, on both transports', async (t) => {
  const outcome = async (limits: Partial<Libp2pLimits>) => {
    const clock = createManualClock()
    const { hub, tcp, web } = await startHub(t, limits, clock)
    let gone = 0
    for (const port of [portOf(tcp), portOf(web)])
      for (const words of ['', 'GET / HTTP/1.1\r\nHost: x\r\n']) {
        const socket = createConnection(port, '127.0.0.1')
        socket.on('error', () => {})
        socket.on('close', () => gone++)
        t.teardown(() => socket.destroy())
        await new Promise((resolve) => socket.once('connect', resolve))
        // On the plain port these words are garbage at once.
        if (words && port === portOf(web)) socket.write(words)
      }
    for (let turns = 0; turns < 50; turns++) await turn()
    clock.advance(defaultLimits.helloMs)
    for (let turns = 0; turns < 50; turns++) await turn()
    return { gone, tooSlow: hub.counts()['too-slow'] }
  }
  t.deepEqual(await outcome({}), { gone: 4, tooSlow: 4 })
  t.deepEqual(await outcome({ helloMs: open }), { gone: 0, tooSlow: 0 })
})

test('the bytes before a greeting are what ends a caller that negotiates without end', async (t) => {
  /** Asks for the same protocol of multistream-select again and again, which libp2p answers again and again. */
  const outcome = async (limits: Partial<Libp2pLimits>) => {
    const { hub, tcp } = await startHub(t, limits)
    const socket = createConnection(portOf(tcp), '127.0.0.1')
    t.teardown(() => socket.destroy())
    let ended = false
    socket.on('error', () => {})
    socket.on('close', () => {
      ended = true
    })
    socket.resume()
    const question = Buffer.from('\x13/multistream/1.0.0\n')
    let sentBytes = 0
    while (!ended && sentBytes < 200_000) {
      socket.write(question)
      sentBytes += question.byteLength
      if (sentBytes % 400 === 0) await turn()
    }
    for (let turns = 0; turns < 50; turns++) await turn()
    return { ended, oversize: hub.counts().oversize }
  }
  t.deepEqual(await outcome({}), { ended: true, oversize: 1 })
  t.deepEqual(await outcome({ helloBytes: open }), { ended: false, oversize: 0 })
})

test('the bytes that make no frame are what ends a peer that fills Yamux with one endless frame', async (t) => {
  const outcome = async (limits: Partial<Libp2pLimits>) => {
    const { hub, links, tcp } = await startHub(t, limits)
    const caller = await startRawCaller(t, 6)
    const { connection, stream, sendUnderMuxer } = await caller.call(tcp)
    stream.send(encodeFrame({ kind: 'hello', stream: 0, payload: encodeHello() }))
    await until(() => links.length === 1, 'the greeting is through')
    // Yamux: version 0, data, no flags, stream 1, four gigabytes; it waits for all of them before it looks at its window.
    sendUnderMuxer(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 255, 255))
    for (let sent = 0; sent < 32 && connection.status === 'open'; sent++) {
      sendUnderMuxer(new Uint8Array(60_000))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return { open: connection.status === 'open', oversize: hub.counts().oversize }
  }
  t.deepEqual(await outcome({}), { open: false, oversize: 1 })
  t.deepEqual(await outcome({ unframedBytes: open }), { open: true, oversize: 0 })
})

test('a WebSocket message that no node sends ends its caller and nothing else', async (t) => {
  const { tcp, web } = await startHub(t)
  const honest = await startHonest(t, tcp)
  const upgrade = [
    'GET / HTTP/1.1',
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    '\r\n',
  ].join('\r\n')
  const messages = {
    'a hundred megabytes': Buffer.from([0x82, 0xff, 0, 0, 0, 0, 6, 0, 0, 0, 1, 2, 3, 4]),
    'reserved bits': Buffer.from([0xf2, 0x81, 1, 2, 3, 4, 5]),
    'no mask': Buffer.from([0x82, 0x01, 5]),
  }
  for (const message of Object.values(messages)) {
    const socket = createConnection(portOf(web), '127.0.0.1')
    socket.on('error', () => {})
    socket.resume()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write(upgrade)
    await new Promise((resolve) => socket.once('data', resolve))
    socket.write(message)
    await closed
  }
  const before = honest.echoed()
  await until(() => honest.echoed() > before + 10, 'the honest link goes on')
  t.is(honest.lost(), undefined)
})

test('a peer that makes the node answer and reads nothing is cut off', async (t) => {
  const { links, tcp } = await startHub(t)
  const caller = await startRawCaller(t, 5)
  const { stream, closed } = await caller.call(tcp)
  stream.send(encodeFrame({ kind: 'hello', stream: 0, payload: encodeHello() }))
  await until(() => links.length === 1, 'the greeting is through')
  stream.pause()
  // Streams past the thousandth are answered by an abort each.
  let id = 1
  let ended = false
  void closed.then(() => {
    ended = true
  })
  while (!ended && stream.status === 'open' && id < 400_000) {
    const frames = Array.from({ length: 2000 }, () => {
      const frame = encodeFrame({ kind: 'open', stream: id, payload: Uint8Array.of(0) })
      id += 2
      return frame
    })
    stream.send(Buffer.concat(frames))
    await turn()
  }
  t.is(await links[0]?.closed, 'the other end does not read')
})
