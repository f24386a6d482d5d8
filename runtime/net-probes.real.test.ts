import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { probesContract } from './net-probes.contract.ts'
import { createNetProbes } from './net-probes.ts'

const serve = async (t: ExecutionContext): Promise<number> => {
  const server = createServer((request, answer) => {
    answer.statusCode = request.url === '/ill' ? 503 : 204
    answer.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const host = '127.0.0.1'

test('http asks for the path and judges by the status', async (t) => {
  const port = await serve(t)
  const { http } = createNetProbes()
  t.deepEqual(await http({ host, port, path: '/', timeoutMs: 5_000 }), { ok: true, detail: 'status 204' })
  t.deepEqual(await http({ host, port, path: '/ill', timeoutMs: 5_000 }), { ok: false, detail: 'status 503' })
})

probesContract(test, 'the network of this machine', async (t) => {
  const silent = createTcpServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  return {
    runner: createNetProbes(),
    healthy: { host, port: await serve(t) },
    hanging: { host, port: (silent.address() as AddressInfo).port },
    refusing: { host, port: 1 },
  }
})
