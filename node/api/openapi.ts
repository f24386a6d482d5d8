import * as z from 'zod'
import { type QueryKey, queryKeys } from './query.ts'
import type { Route } from './route.ts'

type Schemas = Readonly<Record<string, object>>

const errorSchema = {
  type: 'object',
  required: ['errors'],
  properties: {
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['error-message'],
        properties: { 'error-message': { type: 'string' }, 'error-info': { type: 'object' } },
      },
    },
  },
}

const refName = (document: string): string => `#/components/schemas/${document}`
const media = (schema: object) => ({ 'application/json': { schema }, 'application/yaml': { schema } })

const parameters = (route: Route): object[] => {
  const inPath = [...route.path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const inQuery = route.query.map((key: QueryKey) => ({
    name: key,
    in: 'query',
    required: route.required?.includes(key) ?? false,
    description: queryKeys[key].text,
    schema: { type: queryKeys[key].type },
  }))
  const writes = ['PUT', 'PATCH', 'DELETE'].includes(route.method)
  const ifMatch = { name: 'If-Match', in: 'header', description: 'the ETag that was read', schema: { type: 'string' } }
  return [...inPath, ...inQuery, ...(writes ? [ifMatch] : [])]
}

const documentSchema = (route: Route, schemas: Schemas): object =>
  route.document !== undefined && schemas[route.document] ? { $ref: refName(route.document) } : { type: 'object' }

const requestBody = (route: Route, schemas: Schemas): object | undefined => {
  if (route.body === 'none') return undefined
  if (route.body === 'stream')
    return { required: true, content: { 'application/x-tar': {}, 'application/octet-stream': {} } }
  if (route.body === 'text') return { required: true, content: media(documentSchema(route, schemas)) }
  return { content: media(z.toJSONSchema(route.body, { io: 'input', unrepresentable: 'any' })) }
}

const success = (route: Route, schemas: Schemas): object => {
  if (route.path.endsWith('/logs')) return { description: 'the log', content: { 'text/plain': {} } }
  const object = route.method === 'GET' ? documentSchema(route, schemas) : { type: 'object' }
  const isList = route.answersList || route.query.includes('keys') || route.body === 'stream'
  return { description: 'done', content: media(isList ? { type: 'array', items: object } : object) }
}

const operation = (route: Route, schemas: Schemas): object => {
  const body = requestBody(route, schemas)
  return {
    summary: route.summary,
    operationId: `${route.method.toLowerCase()}-${route.path.replace(/[{}]/g, '').slice(4).replaceAll('/', '-')}`,
    'x-operation': route.operation,
    parameters: parameters(route),
    ...(body && { requestBody: body }),
    responses: {
      200: success(route, schemas),
      default: { description: 'refused', content: media({ $ref: refName('errors') }) },
    },
  }
}

/** The OpenAPI 3.1 document of a table of routes. */
export const openApiDocument = (
  routes: readonly Route[],
  options: { readonly version: string; readonly schemas: Schemas },
): object => {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route, options.schemas) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Skerry', version: options.version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { ...options.schemas, errors: errorSchema },
    },
  }
}
