import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Clock, SkerryError } from '../../base/index.ts'
import type { ErrorBody } from '../api/index.ts'
import { type Endpoint, openConnection, reachError } from './connection.ts'
import { ApiRefusedError, unreachable } from './failure.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface Upload {
  readonly sizeBytes: number
  readonly chunks: AsyncIterable<Uint8Array>
  /** Called with the bytes sent so far. */
  readonly onProgress?: (sentBytes: number) => void
}

/** What is sent: a document as text, data as JSON, or a stream. */
export type Body =
  | { readonly kind: 'text'; readonly text: string; readonly mediaType: string; readonly source: string }
  | { readonly kind: 'json'; readonly value: unknown }
  | ({ readonly kind: 'upload' } & Upload)

export interface Asking {
  readonly query?: Query
  readonly body?: Body
  /** From the request to the head of the answer; 0 is for ever. @default 60_000 */
  readonly timeoutMs?: number
}

/** The API of one node, as commands use it. Every call throws ApiRefusedError, or SkerryError `node-unreachable`. */
export interface ApiClient {
  ask<Value>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, asking?: Asking): Promise<Value>
  /** Bytes as they come. */
  stream(path: string, query: Query): Promise<AsyncIterable<Uint8Array>>
}

const connectTimeoutMs = 10_000
const answerTimeoutMs = 60_000
const errorBodyBytes = 2 ** 20

const target = (path: string, query: Query = {}): string => {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)] as const],
  )
  const search = new URLSearchParams(Object.fromEntries(given)).toString()
  return search === '' ? path : `${path}?${search}`
}

const headersOf = (endpoint: Endpoint, body: Body | undefined): Record<string, string> => ({
  host: endpoint.kind === 'https' ? `${endpoint.host}:${endpoint.port}` : 'localhost',
  accept: 'application/json',
  connection: 'close',
  ...(endpoint.kind === 'https' && { authorization: `Bearer ${endpoint.token}` }),
  ...(body?.kind === 'json' && { 'content-type': 'application/json' }),
  ...(body?.kind === 'text' && {
    'content-type': body.mediaType,
    'skerry-source': body.source.replaceAll(/[^\x20-\x7e]/g, '?'),
  }),
  ...(body?.kind === 'upload' && { 'content-type': 'application/x-tar', 'content-length': String(body.sizeBytes) }),
})

const counted = async function* ({ chunks, onProgress }: Upload): AsyncGenerator<Uint8Array> {
  let sentBytes = 0
  for await (const chunk of chunks) {
    yield chunk
    sentBytes += chunk.length
    onProgress?.(sentBytes)
  }
}

const write = async (call: ClientRequest, body: Body | undefined): Promise<void> => {
  if (body?.kind !== 'upload') {
    const text = body?.kind === 'json' ? JSON.stringify(body.value) : body?.text
    call.end(text)
    return
  }
  await pipeline(Readable.from(counted(body), { objectMode: false }), call)
}

const readAll = async (answer: IncomingMessage, maxBytes = Number.POSITIVE_INFINITY): Promise<string> => {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of answer) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const refused = async (what: string, answer: IncomingMessage): Promise<ApiRefusedError> => {
  const status = answer.statusCode ?? 0
  const text = await readAll(answer, errorBodyBytes)
  try {
    const body = JSON.parse(text) as ErrorBody
    if (Array.isArray(body.errors)) return new ApiRefusedError(what, status, body)
  } catch {
    // not ours: told below
  }
  const message = `${what}: the node answered ${status} with something that is no Skerry answer; is it a Skerry node?`
  return new ApiRefusedError(what, status, {
    errors: [{ 'error-message': message, 'error-info': { code: 'bad-answer' } }],
  })
}

interface Exchange {
  readonly answer: IncomingMessage
  /** Lets go of the connection, and of an upload that still goes on. */
  end(): void
}

/** A client of one node; every request has a connection of its own. */
export const createClient = (
  endpoint: Endpoint,
  powers: { readonly clock: Clock; readonly signal: AbortSignal },
): ApiClient => {
  const { clock, signal } = powers
  const call = async (method: string, path: string, asking: Asking): Promise<Exchange> => {
    const socket = await openConnection(endpoint, { clock, timeoutMs: connectTimeoutMs })
    const timeoutMs = asking.timeoutMs ?? answerTimeoutMs
    return new Promise((resolve, reject) => {
      const sent = request({
        method,
        path: target(path, asking.query),
        headers: headersOf(endpoint, asking.body),
        createConnection: () => socket,
        signal,
      })
      const late = () =>
        sent.destroy(unreachable(`${method} ${path}: the node gave no answer in ${timeoutMs / 1000} s`))
      const timer = timeoutMs === 0 ? undefined : clock.setTimer(timeoutMs, late)
      let answered = false
      sent.on('error', (error) => {
        timer?.cancel()
        if (!answered)
          reject(signal.aborted ? new SkerryError('interrupted', 'interrupted') : reachError(endpoint, error))
      })
      sent.once('response', (answer) => {
        answered = true
        timer?.cancel()
        resolve({ answer, end: () => sent.destroy() })
      })
      // A node may refuse before it has read all: then its answer counts, not the broken pipe.
      write(sent, asking.body).catch((error) => {
        if (!answered) sent.destroy(error)
      })
    })
  }
  const succeed = async (method: string, path: string, asking: Asking): Promise<IncomingMessage> => {
    const { answer, end } = await call(method, path, asking)
    if ((answer.statusCode ?? 0) < 300) return answer
    const error = await refused(`${method} ${path}`, answer)
    end()
    throw error
  }
  return {
    ask: async <Value>(method: string, path: string, asking: Asking = {}) => {
      const answer = await succeed(method, path, asking)
      const text = await readAll(answer).catch((error: unknown) => {
        throw reachError(endpoint, error)
      })
      return JSON.parse(text) as Value
    },
    stream: (path, query) => succeed('GET', path, { query }),
  }
}
