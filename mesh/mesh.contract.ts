import type { ExecutionContext, TestFn } from 'ava'
import type { LogLine } from '../base/index.ts'
import type { Mesh, MeshLink, MeshStream, PeerKey, Priority } from './mesh.ts'
import { MeshError, type MeshErrorCode } from './mesh-error.ts'

/** Two nodes of one kind of mesh; `far` listens at `address`. Neither is started. */
export interface MeshPair {
  readonly near: Mesh
  readonly far: Mesh
  readonly nearKey: PeerKey
  readonly farKey: PeerKey
  readonly address: string
  /** Speaks a newer version of the link than `far`; absent where links have no version. */
  readonly newer?: Mesh
  /** What `far` said in its log. */
  readonly farLog: readonly LogLine[]
  /** Breaks the connection without a word to either end. */
  cut(): void
}

interface Joined extends MeshPair {
  readonly nearLink: MeshLink
  readonly farLink: MeshLink
  /** Opens a stream on the near (or far) end and waits for it at the other. */
  open(from?: 'near' | 'far', purpose?: string, priority?: Priority): Promise<[MeshStream, MeshStream]>
}

const dialTimeoutMs = 5000
const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)

const turn = () => new Promise((resolve) => setImmediate(resolve))

const readOne = async (stream: MeshStream): Promise<Uint8Array | undefined> => {
  for await (const message of stream.messages) return message
  return undefined
}

const readAll = async (stream: MeshStream): Promise<Uint8Array[]> => {
  const all: Uint8Array[] = []
  for await (const message of stream.messages) all.push(message)
  return all
}

/** What every Mesh must hold to. @param createPair called once per test; what it opens it must also tear down */
export const meshContract = (
  test: TestFn,
  adapter: string,
  createPair: (t: ExecutionContext) => Promise<MeshPair>,
): void => {
  const title = (sentence: string) => `contract mesh · ${adapter} · ${sentence}`
  const throwsCode = async (t: ExecutionContext, code: MeshErrorCode, run: () => Promise<unknown>) => {
    const error = await t.throwsAsync(run, { instanceOf: MeshError })
    t.is((error as MeshError | undefined)?.code, code)
  }

  const join = async (t: ExecutionContext): Promise<Joined> => {
    const pair = await createPair(t)
    const { near, far, address } = pair
    const arrived = Promise.withResolvers<MeshLink>()
    const waiting: ((stream: MeshStream) => void)[] = []
    const accept = (stream: MeshStream) => waiting.shift()?.(stream)
    far.onLink((link) => {
      far.onStream(link, accept)
      arrived.resolve(link)
    })
    await far.start()
    await near.start()
    t.teardown(async () => {
      await near.stop()
      await far.stop()
    })
    const nearLink = await near.dial(address, { timeoutMs: dialTimeoutMs })
    near.onStream(nearLink, accept)
    const farLink = await arrived.promise
    const open: Joined['open'] = async (from = 'near', purpose = 'test', priority) => {
      const there = new Promise<MeshStream>((resolve) => waiting.push(resolve))
      const here = await (from === 'near' ? nearLink : farLink).openStream(purpose, priority && { priority })
      return [here, await there]
    }
    return { ...pair, nearLink, farLink, open }
  }

  test(title('both ends learn the key of the other'), async (t) => {
    const { nearLink, farLink, nearKey, farKey } = await join(t)
    t.deepEqual([nearLink.peer, farLink.peer], [farKey, nearKey])
    t.regex(nearKey, /^[0-9a-f]{64}$/)
  })

  test(title('a node tells where it listens while it does'), async (t) => {
    const { near, far } = await createPair(t)
    t.deepEqual(far.addresses(), [])
    await far.start()
    t.teardown(() => far.stop())
    t.is(far.addresses().length, 1)
    t.deepEqual(near.addresses(), [])
    await far.stop()
    t.deepEqual(far.addresses(), [])
  })

  test(title('a peer of a newer version is refused in words on both sides'), async (t) => {
    const { far, newer, address, farLog } = await createPair(t)
    if (!newer) return t.pass('these links have no version')
    let arrived = 0
    far.onLink(() => arrived++)
    await far.start()
    t.teardown(async () => {
      await newer.stop()
      await far.stop()
    })
    const error = await t.throwsAsync(newer.dial(address, { timeoutMs: dialTimeoutMs }), { instanceOf: MeshError })
    t.is((error as MeshError).code, 'unreachable')
    t.regex(error?.message ?? '', /you speak version 2 of the link, this node only 1: update it/)
    t.true(
      farLog.some(({ message }) => /speaks version 2 of the link, this node only 1: update this node/.test(message)),
    )
    t.is(arrived, 0)
  })

  test(title('a stream says its purpose and priority at both ends'), async (t) => {
    const { open } = await join(t)
    for (const priority of ['control', 'events', 'bulk'] as const) {
      const pair = await open('far', `for ${priority}`, priority)
      t.deepEqual(
        pair.map((stream) => [stream.purpose, stream.priority]),
        [
          [`for ${priority}`, priority],
          [`for ${priority}`, priority],
        ],
      )
    }
    const [usual] = await open()
    t.is(usual.priority, 'control')
  })

  test(title('bulk that fills a link holds up control by a few frames, and still goes on'), async (t) => {
    const { open } = await join(t)
    const chunk = new Uint8Array(64 * 1024)
    let bulkBytes = 0
    let full = true
    const flooding: Promise<void>[] = []
    for (let at = 0; at < 8; at++) {
      const [from, to] = await open('near', `bulk ${at}`, 'bulk')
      const send = async () => {
        for (let sent = 0; full; sent++) {
          await from.send(chunk)
          // A mesh in memory needs no turn of the event loop; the test does.
          if (sent % 4 === 0) await turn()
        }
        await from.close()
      }
      const receive = async () => {
        for await (const message of to.messages) bulkBytes += message.byteLength
      }
      flooding.push(send(), receive())
    }
    const [ping, pong] = await open('near', 'ping', 'control')
    while (bulkBytes < 4 * 1024 * 1024) await turn()
    let longestBytes = 0
    for (let round = 0; round < 30; round++) {
      const beforeBytes = bulkBytes
      await ping.send(bytesOf(`${round}`))
      t.is(textOf(await readOne(pong)), `${round}`)
      longestBytes = Math.max(longestBytes, bulkBytes - beforeBytes)
      await turn()
    }
    const afterBytes = bulkBytes
    while (bulkBytes < afterBytes + 1024 * 1024) await turn()
    full = false
    await Promise.all(flooding)
    t.true(longestBytes <= 8 * chunk.byteLength, `${longestBytes} bytes of bulk went before a control message`)
  })

  for (const from of ['near', 'far'] as const)
    test(title(`a stream opened by the ${from} end carries whole messages in order, both ways`), async (t) => {
      const { open } = await join(t)
      const [opener, other] = await open(from, 'intents')
      t.is(other.purpose, 'intents')
      const sent = Array.from({ length: 200 }, (_, at) => `message ${at} ${'x'.repeat(at * 37)}`)
      const send = async (stream: MeshStream) => {
        for (const text of sent) await stream.send(bytesOf(text))
        await stream.close()
      }
      const [, , there, here] = await Promise.all([send(opener), send(other), readAll(other), readAll(opener)])
      t.deepEqual(there.map(textOf), sent)
      t.deepEqual(here.map(textOf), sent)
    })

  test(title('a message of 1 MiB and an empty one arrive whole'), async (t) => {
    const { open } = await join(t)
    const [opener, other] = await open()
    const large = Uint8Array.from({ length: 1024 * 1024 }, (_, at) => at % 251)
    const sending = opener
      .send(large)
      .then(() => opener.send(new Uint8Array(0)))
      .then(() => opener.close())
    const [first, second] = await readAll(other)
    await sending
    t.true(Buffer.from(first ?? []).equals(large))
    t.is(second?.byteLength, 0)
  })

  test(title('a sender may change its buffer after send resolved'), async (t) => {
    const { open } = await join(t)
    const [opener, other] = await open()
    const message = bytesOf('as it was')
    await opener.send(message)
    message.fill(0)
    t.is(textOf(await readOne(other)), 'as it was')
  })

  test(title('an oversized message is refused and the stream goes on'), async (t) => {
    const { open } = await join(t)
    const [opener, other] = await open()
    await throwsCode(t, 'message-too-large', () => opener.send(new Uint8Array(1024 * 1024 + 1)))
    await opener.send(bytesOf('fits'))
    t.is(textOf(await readOne(other)), 'fits')
  })

  test(title('a stalled reader stops its sender below 4 MiB and no other stream'), async (t) => {
    const { open } = await join(t)
    const [stalled, unread] = await open()
    const chunk = new Uint8Array(64 * 1024)
    let sentBytes = 0
    const flood = async () => {
      for (;;) {
        await stalled.send(chunk)
        sentBytes += chunk.byteLength
      }
    }
    const flooding = t.throwsAsync(flood(), { instanceOf: MeshError })
    const [lively, reader] = await open()
    // More than the window passes on another stream while the first is stuck.
    for (let round = 0; round < 100; round++) {
      await lively.send(chunk)
      t.is((await readOne(reader))?.byteLength, chunk.byteLength)
    }
    const stuckAtBytes = sentBytes
    t.true(stuckAtBytes > 0 && stuckAtBytes < 4 * 1024 * 1024, `${stuckAtBytes} bytes were taken unread`)
    for (let read = 0; read < 64; read++) await readOne(unread)
    t.true(sentBytes > stuckAtBytes, 'reading lets the sender go on')
    stalled.abort('enough')
    await flooding
  })

  test(title('100 streams at once each keep their own messages'), async (t) => {
    const { open } = await join(t)
    const one = async (at: number) => {
      const [opener, other] = await open(at % 2 ? 'near' : 'far', `stream ${at}`)
      const echo = async () => {
        for await (const message of other.messages) await other.send(message)
        await other.close()
      }
      const echoing = echo()
      for (let n = 0; n < 5; n++) await opener.send(bytesOf(`${other.purpose} message ${n}`))
      await opener.close()
      const back = (await readAll(opener)).map(textOf)
      await echoing
      return back
    }
    // Opened one after the other, so that each meets its own other end; all live together.
    const all = await Promise.all(Array.from({ length: 100 }, (_, at) => one(at)))
    const purposes = new Set(all.map((lines) => lines[0]?.replace(/ message.*/, '')))
    t.is(purposes.size, 100)
    for (const lines of all) t.deepEqual(lines.length, 5)
  })

  test(title('an abort ends both directions at both ends, with its reason'), async (t) => {
    const { open } = await join(t)
    const [opener, other] = await open()
    await other.send(bytesOf('never read'))
    opener.abort('changed its mind')
    await throwsCode(t, 'stream-aborted', () => readAll(opener))
    const error = await t.throwsAsync(readAll(other), { instanceOf: MeshError, message: /changed its mind/ })
    t.is((error as MeshError).code, 'stream-aborted')
    await throwsCode(t, 'stream-closed', () => other.send(bytesOf('late')))
    await throwsCode(t, 'stream-closed', () => opener.send(bytesOf('late')))
  })

  test(title('after one end closed, the other may still send until it closes too'), async (t) => {
    const { open } = await join(t)
    const [opener, other] = await open()
    await opener.send(bytesOf('question'))
    await opener.close()
    await opener.close()
    await throwsCode(t, 'stream-closed', () => opener.send(bytesOf('late')))
    t.deepEqual((await readAll(other)).map(textOf), ['question'])
    await other.send(bytesOf('answer'))
    await other.close()
    t.deepEqual((await readAll(opener)).map(textOf), ['answer'])
  })

  test(title('a broken connection ends streams and links at both ends, after what had arrived'), async (t) => {
    const { open, cut, nearLink, farLink } = await join(t)
    const [opener, other] = await open()
    await other.send(bytesOf('arrived'))
    await other.send(bytesOf('arrived too'))
    t.is(textOf(await readOne(opener)), 'arrived')
    cut()
    t.is(typeof (await nearLink.closed), 'string')
    t.is(typeof (await farLink.closed), 'string')
    await throwsCode(t, 'link-lost', () => readAll(opener))
    await throwsCode(t, 'stream-closed', () => opener.send(bytesOf('late')))
    await throwsCode(t, 'link-lost', () => readAll(other))
    await throwsCode(t, 'link-lost', () => nearLink.openStream('late'))
  })

  test(title('a send that waits for its reader fails when the link breaks'), async (t) => {
    const { open, cut } = await join(t)
    const [opener] = await open()
    const flood = async () => {
      for (;;) await opener.send(new Uint8Array(1024 * 1024))
    }
    const flooding = flood()
    cut()
    await throwsCode(t, 'stream-closed', () => flooding)
  })

  test(title('closing a link delivers what was sent and tells both ends'), async (t) => {
    const { open, nearLink, farLink, nearKey } = await join(t)
    const [opener, other] = await open()
    await opener.send(bytesOf('last words'))
    await opener.close()
    await nearLink.close()
    await nearLink.close()
    t.is(await nearLink.closed, 'closed here')
    t.is(await farLink.closed, `closed by ${nearKey}`)
    t.deepEqual((await readAll(other)).map(textOf), ['last words'])
  })

  test(title('nobody listening is unreachable; a stopped node is too, and can start again'), async (t) => {
    const { near, far, farKey, address } = await createPair(t)
    t.teardown(() => near.stop())
    await throwsCode(t, 'unreachable', () => near.dial(address, { timeoutMs: dialTimeoutMs }))
    far.onLink(() => {})
    await far.start()
    t.teardown(() => far.stop())
    const link = await near.dial(address, { timeoutMs: dialTimeoutMs })
    await far.stop()
    t.is(await link.closed, `closed by ${farKey}`)
    await throwsCode(t, 'unreachable', () => near.dial(address, { timeoutMs: dialTimeoutMs }))
    await far.start()
    const again = await near.dial(address, { timeoutMs: dialTimeoutMs })
    await again.close()
  })

  test(title('a caller that gives up gets unreachable'), async (t) => {
    const { near, far, address } = await createPair(t)
    await far.start()
    t.teardown(() => far.stop())
    const signal = AbortSignal.abort()
    await throwsCode(t, 'unreachable', () => near.dial(address, { timeoutMs: dialTimeoutMs, signal }))
  })
}
