import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { createNetProbes } from './net-probes.ts'

const serve = async (t: ExecutionContext): Promise<number> => {
  const server = createServer((request, answer) => {
    if (request.url === '/silent') return
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

test('an answer that does not come is a failure after the timeout', async (t) => {
  const port = await serve(t)
  const answer = await createNetProbes().http({ host, port, path: '/silent', timeoutMs: 100 })
  t.deepEqual(answer, { ok: false, detail: 'no answer within 100 ms' })
})

test('tcp needs a listener, nothing more', async (t) => {
  const port = await serve(t)
  const { tcp, http } = createNetProbes()
  t.deepEqual(await tcp({ host, port, timeoutMs: 5_000 }), { ok: true, detail: 'connected' })
  const refused = await tcp({ host, port: 1, timeoutMs: 5_000 })
  t.false(refused.ok)
  t.regex(refused.detail, /ECONNREFUSED/)
  t.false((await http({ host, port: 1, path: '/', timeoutMs: 5_000 })).ok)
})
