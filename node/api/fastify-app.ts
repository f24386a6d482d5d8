import type { IncomingMessage, RequestListener, Server } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { type Clock, errorText, type Log, nearestName, parseName } from '../../base/index.ts'
import { shapeAnswer } from './answer.ts'
import type { AuthorizationRequest, Authorizer, Operation } from './authorizer.ts'
import { answerMediaType, bodyMediaType, decodeBody, encodeAnswer, parseBody } from './body.ts'
import { refusal, reportProblem } from './problem-report.ts'
import { parseQuery } from './query.ts'
import { readBody, streamBody } from './read-body.ts'
import type { Answer, Route } from './route.ts'
import type { ApiServices, Asked, Caller } from './services.ts'

/** Bounds of the API. */
export interface ApiLimits {
  /** @default 1 MiB; uploads of images are streamed and have no bound here */
  readonly bodyBytes: number
  /** From the head of a request to the end of its body. @default 30_000 */
  readonly bodyTimeoutMs: number
  /** Longest pause inside an upload. @default 60_000 */
  readonly uploadIdleMs: number
  /** What a handler may take where its route says nothing else. @default 30_000 */
  readonly handlerTimeoutMs: number
  /** How long what is left of a request is read after it was answered. @default 5_000 */
  readonly lingerMs: number
}

export const defaultLimits: ApiLimits = {
  bodyBytes: 2 ** 20,
  bodyTimeoutMs: 30_000,
  uploadIdleMs: 60_000,
  handlerTimeoutMs: 30_000,
  lingerMs: 5_000,
}

export interface AppParts {
  readonly via: AuthorizationRequest['via']
  readonly routes: readonly Route[]
  readonly services: ApiServices
  readonly authorizer: Authorizer
  readonly limits: ApiLimits
  readonly clock: Clock
  readonly log: Log
  /** Makes the raw server. */
  readonly listen: (handler: RequestListener) => Server
  /** Called for each request that was not let in. */
  readonly onRefusal: () => void
  /** Aborts when the node stops. */
  readonly stopping: AbortSignal
  /** The OpenAPI document, made when first asked for. */
  readonly openApi: () => Promise<object>
}

const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

const operationOf: Readonly<Record<string, Operation>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'update',
  DELETE: 'delete',
}
const callers = new WeakMap<FastifyRequest, Caller>()
const instancePattern = /^[a-z0-9-]{1,63}\.[a-z0-9-]{1,63}-\d{1,6}$/
const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] ?? '/'

const send = (request: FastifyRequest, reply: FastifyReply, status: number, value: unknown) => {
  const type = answerMediaType(request.headers.accept)
  return reply.code(status).header('content-type', `${type}; charset=utf-8`).send(encodeAnswer(value, type))
}

const sendProblem = (parts: AppParts, request: FastifyRequest, reply: FastifyReply, error: unknown) => {
  const report = reportProblem(error)
  if (report.status >= 500 && report.status !== 503 && report.status !== 504)
    parts.log.error('request failed', { method: request.method, path: pathOf(request), error: errorText(error) })
  return send(request, reply, report.status, report.body)
}

/** Decides on a request before anything of its body is read. */
const admit = async (parts: AppParts, request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
  const path = pathOf(request)
  if (path === '/healthz') return undefined
  const declared = (request.routeOptions.config as { operation?: Operation }).operation
  const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const answer = await parts.authorizer.authorize({
    method: request.method,
    path,
    operation: declared ?? operationOf[request.method] ?? 'read',
    via: parts.via,
    ...(token !== undefined && { token }),
  })
  if (answer.ok) {
    callers.set(request, { tenant: answer.tenant, user: answer.user })
    return undefined
  }
  parts.onRefusal()
  if (answer.status === 401) reply.header('www-authenticate', 'Bearer')
  return sendProblem(
    parts,
    request,
    reply,
    refusal(answer.status === 401 ? 'unauthenticated' : 'forbidden', answer.message),
  )
}

const readParams = (request: FastifyRequest): Record<string, string> => {
  const params = { ...(request.params as Record<string, string>) }
  for (const [key, text] of Object.entries(params))
    if (key !== 'instance') parseName(text)
    else if (!instancePattern.test(text))
      throw refusal('invalid-id', `${JSON.stringify(text.slice(0, 150))} is no instance: write it like shop.web-1`)
  return params
}

const sourceOf = (request: FastifyRequest): string => {
  const header = request.headers['skerry-source']
  return typeof header === 'string' && /^[\x20-\x7e]{1,200}$/.test(header) ? header : 'body'
}

const readGiven = async (parts: AppParts, route: Route, request: FastifyRequest, signal: AbortSignal) => {
  const { limits, clock } = parts
  const raw = request.raw as IncomingMessage & Readable
  if (route.body === 'stream') return streamBody(raw, { idleMs: limits.uploadIdleMs, clock, signal })
  const bytes = await readBody(raw, {
    maxBytes: route.bodyBytes ?? limits.bodyBytes,
    timeoutMs: limits.bodyTimeoutMs,
    clock,
  })
  if (route.body === 'none') {
    if (bytes.length > 0 && route.method !== 'GET') throw refusal('bad-request', 'this request takes no body')
    return undefined
  }
  const source = sourceOf(request)
  if (route.body === 'text')
    return { text: decodeBody(bytes, source), mediaType: bodyMediaType(request.headers['content-type']), source }
  const type = bytes.length === 0 ? 'application/json' : bodyMediaType(request.headers['content-type'])
  return parseBody(decodeBody(bytes, source), type, route.body, source)
}

const unquoted = (etag: string): string => etag.replace(/^(?:W\/)?"(.*)"$/, '$1')

/** Calls the handler; gives up on it after its time. */
const callHandler = async (
  parts: AppParts,
  route: Route,
  request: FastifyRequest,
  asked: Asked,
  late: Promise<never>,
) => {
  const search = request.url.slice(pathOf(request).length)
  const query = parseQuery(new URLSearchParams(search), route.query, route.required)
  const params = readParams(request)
  const body = await readGiven(parts, route, request, asked.signal)
  const ifMatch = request.headers['if-match']
  const answer = route.handle({
    params,
    query,
    body,
    asked,
    services: parts.services,
    ...(ifMatch !== undefined && { ifMatch: unquoted(ifMatch) }),
  })
  answer.catch(() => {}) // it may fail after it was given up on
  return { query, answer: await Promise.race([answer, late]) }
}

/** Writes the head at once, so that a follower of a quiet log knows it is connected. */
const sendBytes = async (reply: FastifyReply, answer: Extract<Answer, { kind: 'bytes' }>) => {
  reply.hijack()
  reply.raw.writeHead(200, { ...securityHeaders, 'content-type': answer.mediaType })
  reply.raw.flushHeaders()
  await pipeline(Readable.from(answer.chunks, { objectMode: false }), reply.raw).catch(() => reply.raw.destroy())
}

const serve = (parts: AppParts, route: Route) => async (request: FastifyRequest, reply: FastifyReply) => {
  const end = new AbortController()
  const stop = () => end.abort()
  parts.stopping.addEventListener('abort', stop, { once: true })
  reply.raw.once('close', stop)
  const late = Promise.withResolvers<never>()
  late.promise.catch(() => {})
  const timeoutMs = route.timeoutMs ?? parts.limits.handlerTimeoutMs
  const timer =
    timeoutMs === 0
      ? undefined
      : parts.clock.setTimer(timeoutMs, () => {
          late.reject(refusal('timeout', `no answer after ${timeoutMs / 1000} s`))
          end.abort()
        })
  try {
    const caller = callers.get(request)
    if (!caller) throw new Error('a request came past the authorizer')
    const asked = { caller, signal: end.signal }
    const { query, answer } = await callHandler(parts, route, request, asked, late.promise)
    if (answer.kind === 'bytes') return await sendBytes(reply, answer)
    const value = shapeAnswer(answer, query)
    if (answer.kind === 'object' && answer.etag !== undefined) reply.header('etag', `"${answer.etag}"`)
    return send(request, reply, (answer.kind === 'object' && answer.status) || 200, value)
  } catch (error) {
    return sendProblem(parts, request, reply, error)
  } finally {
    timer?.cancel()
    parts.stopping.removeEventListener('abort', stop)
  }
}

const patternOf = (path: string): RegExp => new RegExp(`^${path.replace(/\{[^}]*\}/g, '[^/]+')}$`)

const notFound = (parts: AppParts) => (request: FastifyRequest, reply: FastifyReply) => {
  const path = pathOf(request)
  const methods = parts.routes.filter((route) => patternOf(route.path).test(path)).map(({ method }) => method)
  if (methods.length > 0) {
    reply.header('allow', [...methods, 'OPTIONS'].join(', '))
    if (request.method === 'OPTIONS') return reply.code(204).send()
    const words = `${path} does not take ${request.method}: it takes ${methods.join(', ')}`
    return sendProblem(parts, request, reply, refusal('method-not-allowed', words))
  }
  const paths = parts.routes.map((route) => route.path)
  const near = nearestName(path.slice(0, 200), paths)
  const advice = near ? `did you mean ${near}?` : 'GET /v1/openapi.json lists what there is'
  return sendProblem(parts, request, reply, refusal('not-found', `there is no ${path.slice(0, 200)}; ${advice}`))
}

/** The API as a fastify application over one raw server. */
export const createApp = (parts: AppParts): FastifyInstance => {
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 200, querystringParser: () => ({}) },
    serverFactory: (handler) => parts.listen(handler as RequestListener),
    frameworkErrors: (_error, request, reply) => {
      void sendProblem(parts, request, reply, refusal('bad-request', 'the path is malformed'))
    },
    // Bodies are checked by our own schemas, so fastify's compilers and their megabytes are not loaded.
    schemaController: {
      compilersFactory: {
        buildValidator: (() => () => () => true) as never,
        buildSerializer: () => () => JSON.stringify,
      },
    },
  }) as unknown as FastifyInstance
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders)
    return admit(parts, request, reply)
  })
  app.addHook('onResponse', async (request) => {
    if (request.raw.complete) return
    // The rest is read and dropped for a moment, so that the client gets to see the answer.
    request.raw.resume()
    const timer = parts.clock.setTimer(parts.limits.lingerMs, () => request.raw.destroy())
    request.raw.once('close', () => timer.cancel())
  })
  app.setErrorHandler((error, request, reply) => sendProblem(parts, request, reply, error))
  app.setNotFoundHandler(notFound(parts))
  app.get('/healthz', (request, reply) => send(request, reply, 200, { status: 'ok' }))
  app.get('/v1/openapi.json', async (request, reply) => send(request, reply, 200, await parts.openApi()))
  for (const route of parts.routes)
    app.route({
      method: route.method,
      url: route.path.replace(/\{([^}]*)\}/g, ':$1'),
      config: { operation: route.operation },
      handler: serve(parts, route),
    })
  return app
}
