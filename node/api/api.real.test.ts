import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { statSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import test from 'ava'
import { silentLog } from '../../base/index.ts'
import { createMemoryServices, type MemoryApi, openMemoryApi } from './memory/index.ts'
import { keepCertificate } from './x509-certificate.ts'

interface Given {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array
}

interface Reply {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly text: string
}

const collect = (call: ReturnType<typeof httpRequest>, body?: string | Uint8Array) =>
  new Promise<Reply>((resolve, reject) => {
    call.on('error', reject)
    call.on('response', (answer) => {
      const chunks: Uint8Array[] = []
      answer.on('data', (chunk: Uint8Array) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() }),
      )
    })
    call.end(body)
  })

const overHttps = ({ api, token }: MemoryApi, path: string, { body, ...given }: Given = {}) => {
  const headers = { authorization: `Bearer ${token}`, ...given.headers }
  return collect(
    httpsRequest(`${api.httpsUrl}${path}`, { rejectUnauthorized: false, agent: false, ...given, headers }),
    body,
  )
}

const overSocket = ({ api }: MemoryApi, path: string, { body, ...given }: Given = {}) =>
  collect(httpRequest({ socketPath: api.socketPath, path, agent: false, ...given }), body)

/** Resolves with what came when the other end closed. */
const closing = (socket: ReturnType<typeof connect>) =>
  new Promise<string>((resolve) => {
    let text = ''
    socket.on('data', (chunk) => {
      text += String(chunk)
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })

const addressOf = ({ api }: MemoryApi) => {
  const url = new URL(api.httpsUrl)
  return { host: url.hostname, port: Number(url.port) }
}

const opened = async (
  t: { teardown(fn: () => Promise<void>): void },
  given: Parameters<typeof openMemoryApi>[0] = {},
) => {
  const memory = await openMemoryApi(given)
  t.teardown(memory.close)
  return memory
}

test('the socket needs no token and is open to its owner alone', async (t) => {
  const memory = await opened(t)
  t.is((await overSocket(memory, '/v1/state/node')).status, 200)
  t.is(statSync(memory.api.socketPath).mode & 0o777, 0o600)
})

test('HTTPS lets in the right token and nothing else, and counts the rest', async (t) => {
  const memory = await opened(t)
  const good = await overHttps(memory, '/v1/state/node')
  t.is(good.status, 200)
  t.is(good.headers['x-content-type-options'], 'nosniff')
  const bad = [
    '',
    'Bearer',
    'Bearer x',
    `Bearer ${memory.token}x`,
    `Basic ${memory.token}`,
    `Bearer ${'y'.repeat(8_000)}`,
  ]
  for (const authorization of bad) {
    const reply = await overHttps(memory, '/v1/state/node', { headers: { authorization } })
    t.is(reply.status, 401, authorization.slice(0, 20))
    t.is(reply.headers['www-authenticate'], 'Bearer')
    t.false(reply.text.includes('tower'))
  }
  t.is((await overHttps(memory, '/no/such/path', { headers: { authorization: '' } })).status, 401)
  t.is(memory.api.refusals(), bad.length + 1)
  t.is((await overHttps(memory, '/healthz', { headers: { authorization: '' } })).status, 200)
})

test('the certificate is made once, is valid in 1970, and its key is for its owner alone', async (t) => {
  const memory = await opened(t)
  const dir = join(memory.dir, 'certificate')
  t.is(statSync(join(dir, 'api.pem')).mode & 0o777, 0o600)
  const again = await keepCertificate({ dir, name: 'tower', address: '127.0.0.1', log: silentLog })
  t.is(again.fingerprint, memory.api.fingerprint)
  const socket = connectTls({ ...addressOf(memory), ca: again.certificatePem, servername: 'tower' })
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  t.true(socket.authorized)
  t.is(socket.getPeerX509Certificate()?.fingerprint256, memory.api.fingerprint)
  t.is(new X509Certificate(again.certificatePem).validFrom, 'Jan  1 00:00:00 1970 GMT')
  socket.destroy()
})

test('TLS below 1.2 is refused', async (t) => {
  const memory = await opened(t)
  const error = await new Promise<Error>((resolve) => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    const socket = connectTls({ ...addressOf(memory), ...old, rejectUnauthorized: false }, () =>
      resolve(new Error('let in')),
    )
    socket.once('error', resolve)
  })
  t.regex(error.message, /protocol version|alert/i)
})

test('a body past the limit is refused, a large upload is streamed', async (t) => {
  const memory = await opened(t)
  const headers = { 'content-type': 'application/yaml' }
  const body = `name: shop\nx: ${'a'.repeat(2 ** 20)}\n`
  const reply = await overHttps(memory, '/v1/config/applications/shop', { method: 'PUT', headers, body })
  t.is(reply.status, 413)
  t.regex(reply.text, /larger than 1048576 bytes/)
  const tar = { 'content-type': 'application/x-tar' }
  const upload = await overHttps(memory, '/v1/state/images', {
    method: 'POST',
    headers: tar,
    body: new Uint8Array(3 * 2 ** 20),
  })
  t.is(upload.status, 200)
  t.regex(upload.text, /"size-bytes":3145728/)
})

test('garbage is answered with a refusal or a closed connection, and the API goes on', async (t) => {
  const memory = await opened(t)
  for (const bytes of [
    '\0\0\0\0garbage\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n',
    `GET /${'a'.repeat(70_000)} HTTP/1.1\r\n\r\n`,
  ]) {
    const socket = connect(memory.api.socketPath)
    const answer = closing(socket)
    socket.end(bytes)
    t.regex(await answer, /^HTTP\/1\.1 4\d\d /)
  }
  const raw = connect(addressOf(memory))
  const answer = closing(raw)
  raw.end('GET / HTTP/1.1\r\n\r\n')
  t.is(await answer, '')
  const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"cmd": [\n' }
  t.regex((await overSocket(memory, '/v1/state/service-instances/a.b-1/exec', json)).text, /body:2: is not JSON/)
  t.is((await overSocket(memory, '/v1/state/node', { method: 'PATCH' })).status, 405)
  t.regex((await overSocket(memory, '/v1/state/nodes')).text, /did you mean \/v1\/state\/node\?/)
  t.is((await overSocket(memory, '/v1/state/applications/..%2f..%2fetc')).status, 400)
  t.is((await overSocket(memory, '/v1/state/node')).status, 200)
})

test('a client that sends its head or its body too slowly is cut off', async (t) => {
  const memory = await opened(t, { options: { headersTimeoutMs: 300, limits: { bodyTimeoutMs: 300, lingerMs: 100 } } })
  const silent = closing(connect(memory.api.socketPath))
  const slowHead = connect(memory.api.socketPath)
  const head = closing(slowHead)
  slowHead.write('GET /v1/state/node HTTP/1.1\r\nHost: a\r\nX-A')
  const slowBody = connect(memory.api.socketPath)
  const body = closing(slowBody)
  slowBody.write(
    'PUT /v1/config/applications/a HTTP/1.1\r\nHost: a\r\nContent-Type: application/yaml\r\nContent-Length: 99\r\n\r\nname:',
  )
  t.regex(await head, /^HTTP\/1\.1 408 /)
  t.regex(await body, /^HTTP\/1\.1 408 [\s\S]*the body was not complete/)
  await silent
  const handshake = closing(connect(addressOf(memory)))
  t.is(await handshake, '')
})

test('an upload that stops moving is given up on', async (t) => {
  const memory = await opened(t, { options: { limits: { uploadIdleMs: 200, lingerMs: 100 } } })
  const socket = connect(memory.api.socketPath)
  const answer = closing(socket)
  socket.write(
    'POST /v1/state/images HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-tar\r\nContent-Length: 9999\r\n\r\nabc',
  )
  t.regex(await answer, /^HTTP\/1\.1 408 [\s\S]*nothing came for 0\.2 s/)
})

test('a followed log comes at once and its source ends when the client leaves', async (t) => {
  t.timeout(20_000)
  const services = createMemoryServices()
  const left = Promise.withResolvers<void>()
  const logs: typeof services.operations.logs = async (instance, asked) => {
    asked.signal.addEventListener('abort', () => left.resolve())
    return services.operations.logs(instance, asked)
  }
  const memory = await opened(t, { services: { ...services, operations: { ...services.operations, logs } } })
  const path = '/v1/state/service-instances/shop.web-1/logs?follow=true'
  const headers = { authorization: `Bearer ${memory.token}` }
  const call = httpsRequest(`${memory.api.httpsUrl}${path}`, { rejectUnauthorized: false, agent: false, headers })
  const first = await new Promise<string>((resolve, reject) => {
    call.on('error', reject)
    call.on('response', (answer) => answer.once('data', (chunk) => resolve(String(chunk))))
    call.end()
  })
  t.is(first, 'hello from shop.web-1\n')
  call.removeAllListeners('error').on('error', () => {})
  call.destroy()
  await left.promise
})

test('stopping ends followers, closes both doors and removes the socket', async (t) => {
  const memory = await opened(t)
  const follow = overSocket(memory, '/v1/state/service-instances/shop.web-1/logs?follow=true')
  await overSocket(memory, '/v1/state/node')
  await memory.api.stop()
  t.regex((await follow).text, /hello/)
  t.throws(() => statSync(memory.api.socketPath), { code: 'ENOENT' })
  await t.throwsAsync(overHttps(memory, '/healthz'), { code: 'ECONNREFUSED' })
})

test('a socket that answers is not taken over, a dead one is', async (t) => {
  const memory = await opened(t)
  const options = { socketPath: memory.api.socketPath }
  await t.throwsAsync(openMemoryApi({ options }), { code: 'address-in-use', message: /another node answers/ })
  const dead = join(memory.dir, 'dead.sock')
  await new Promise<void>((resolve) => {
    const maker = `require('net').createServer().listen(${JSON.stringify(dead)}, () => process.kill(process.pid, 'SIGKILL'))`
    spawn(process.execPath, ['-e', maker]).once('exit', () => resolve())
  })
  t.true(statSync(dead).isSocket())
  const second = await opened(t, { options: { socketPath: dead } })
  t.is((await overSocket(second, '/healthz')).status, 200)
})

test('a socket path that some systems cannot hold, and a taken port, are refused in words', async (t) => {
  const memory = await opened(t)
  const socketPath = join(memory.dir, 'x'.repeat(100))
  await t.throwsAsync(openMemoryApi({ options: { socketPath } }), {
    code: 'socket-path-too-long',
    message: /--run-dir/,
  })
  await t.throwsAsync(openMemoryApi({ options: { port: addressOf(memory).port } }), { code: 'address-in-use' })
})
