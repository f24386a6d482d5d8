import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { startProxy } from './tcp-proxy.ts'

/** A server that answers what it hears, in capitals, and a proxy before it. */
const start = async (t: ExecutionContext) => {
  const server = createServer((socket) => {
    socket.on('data', (bytes) => socket.write(bytes.toString().toUpperCase()))
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const bound = server.address() as { readonly port: number }
  const proxy = await startProxy(() => `127.0.0.1:${bound.port}`)
  const sockets: Socket[] = []
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await proxy.close()
    server.close()
  })
  const dial = async () => {
    const [host = '', port = ''] = proxy.address.split(':')
    const socket = connect({ host, port: Number(port) })
    sockets.push(socket)
    await once(socket, 'connect')
    return socket
  }
  return { proxy, dial }
}

const heard = async (socket: Socket): Promise<string> => String((await once(socket, 'data'))[0])

test('bytes go through in both directions and are counted', async (t) => {
  const { proxy, dial } = await start(t)
  const socket = await dial()
  socket.write('hello')
  t.is(await heard(socket), 'HELLO')
  t.like(proxy.seen(), { connections: 1, 'bytes-up': 5, 'bytes-down': 5, cut: false, 'cut-ms': 0 })
})

test('while it is cut nothing gets through, on old and new connections, and all of it does once it is healed', async (t) => {
  const { proxy, dial } = await start(t)
  const old = await dial()
  old.write('a')
  t.is(await heard(old), 'A')
  proxy.cut()
  const fresh = await dial()
  const answers: string[] = []
  for (const socket of [old, fresh]) socket.on('data', (bytes) => answers.push(bytes.toString()))
  old.write('b')
  fresh.write('c')
  // Another way from end to end, so that a byte would have had the time to come through.
  const beside = await start(t)
  const other = await beside.dial()
  for (const letter of ['x', 'y', 'z']) {
    other.write(letter)
    await heard(other)
  }
  t.deepEqual(answers, [])
  t.like(proxy.seen(), { cut: true, 'bytes-up': 1, 'bytes-down': 1 })
  proxy.heal()
  while (answers.length < 2) await Promise.race([once(old, 'data'), once(fresh, 'data')])
  t.deepEqual(answers.toSorted(), ['B', 'C'])
})

test('who hangs up while it is cut is gone once it is healed', async (t) => {
  const { proxy, dial } = await start(t)
  const socket = await dial()
  socket.write('a')
  await heard(socket)
  proxy.cut()
  socket.destroy()
  await once(socket, 'close')
  proxy.heal()
  const next = await dial()
  next.write('n')
  t.is(await heard(next), 'N')
})
