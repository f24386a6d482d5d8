import diagnostics from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import test from 'ava'
import { makeNode, nodes, until } from './loopback.contract.ts'

test('what comes in small frames is not answered frame by frame', async (t) => {
  const sockets: Socket[] = []
  const listen = (message: unknown) => void sockets.push((message as { socket: Socket }).socket)
  diagnostics.subscribe('net.client.socket', listen)
  t.teardown(() => diagnostics.unsubscribe('net.client.socket', listen))
  const [near, far] = [makeNode({}), makeNode({ seed: nodes.far.seed, listen: ['127.0.0.1:0'] })]
  t.teardown(() => Promise.all([near.stop(), far.stop()]))
  let heard = 0
  far.onLink((link) =>
    far.onStream(link, (stream) => {
      const read = async () => {
        for await (const _ of stream.messages) heard += 1
      }
      // The link ends with the test.
      read().catch(() => {})
    }),
  )
  await far.start()
  await near.start()
  const link = await near.dial(far.addresses()[0] ?? '', { timeoutMs: 5_000 })
  const stream = await link.openStream('test')
  await stream.send(new Uint8Array(10))
  await until(() => heard === 1, 'the stream is open')
  const [socket] = sockets
  const before = socket?.bytesRead ?? Number.NaN
  for (let time = 1; time <= 200; time++) {
    await stream.send(new Uint8Array(100))
    await until(() => heard === time + 1, 'it is heard')
  }
  const answered = (socket?.bytesRead ?? Number.NaN) - before
  t.true(answered < 200, `${answered} bytes came back`)
})
