import { createServer } from 'node:http'
import { createManualClock, silentLog } from '../../base/index.ts'
import { createApp, defaultLimits } from './fastify-app.ts'
import { createMemoryServices } from './memory/index.ts'
import { openApiDocument } from './openapi.ts'
import { routes } from './routes.ts'
import type { ApiServices } from './services.ts'

/** The API's application without a socket, over services in memory, with a clock that a test moves. */
export const openApp = (services: ApiServices = createMemoryServices()) => {
  const clock = createManualClock()
  const app = createApp({
    via: 'socket',
    routes,
    services,
    authorizer: { authorize: () => ({ ok: true, tenant: 'system', user: 'test' }) },
    limits: defaultLimits,
    clock,
    log: silentLog,
    listen: (handler) => createServer(handler),
    onRefusal: () => {},
    stopping: new AbortController().signal,
    openApi: async () => openApiDocument(routes, { version: '0', schemas: { applications: { type: 'object' } } }),
  })
  const ask = async (
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS',
    url: string,
    given: { body?: string; headers?: object } = {},
  ) => {
    const headers = { ...(given.body !== undefined && { 'content-type': 'application/yaml' }), ...given.headers }
    const reply = await app.inject({ method, url, headers, ...(given.body !== undefined && { payload: given.body }) })
    return { status: reply.statusCode, headers: reply.headers, text: reply.body, json: () => reply.json() as unknown }
  }
  return { ask, clock }
}
