import * as z from 'zod'
import { found } from './found.ts'
import { refusal } from './problem-report.ts'
import type { Query } from './query.ts'
import { list, listQuery, object, type Route, type RouteContext, route } from './route.ts'
import type { ConfigChange, ConfigKind, ConfigText, ConfigWrite } from './services.ts'

const effectOf = ({ validate, 'dry-run': dryRun }: Query): ConfigWrite['effect'] =>
  validate ? 'validate' : dryRun ? 'dry-run' : 'apply'

const write =
  (kind: ConfigKind, mode: ConfigWrite['mode']) =>
  async ({ services, asked, params, query, body, ifMatch }: RouteContext<ConfigText>) => {
    const effect = effectOf(query)
    const change = await services.config.write(kind, {
      ...asked,
      body,
      mode,
      effect,
      ...(params.name !== undefined && { name: params.name }),
      ...(ifMatch !== undefined && { ifMatch }),
    })
    return answerChange(change, effect === 'apply' && change.outcome === 'created' ? 201 : 200)
  }

const answerChange = ({ etag, ...change }: ConfigChange, status = 200) =>
  object(change, { status, ...(etag !== undefined && { etag }) })

const routesOf = (kind: ConfigKind, word: string, short: string): readonly Route[] => {
  const path = `/v1/config/${kind}`
  const one = `${path}/{name}`
  const document = kind
  return [
    route({
      method: 'GET',
      path,
      summary: `All ${word}s`,
      operation: 'read',
      query: listQuery,
      body: 'none',
      document,
      handle: async ({ services, asked }) => list((await services.config.list(kind, asked)).map(({ value }) => value)),
    }),
    route({
      method: 'POST',
      path,
      summary: `Create the ${word} that the body names`,
      operation: 'create',
      query: ['validate', 'dry-run'],
      body: 'text',
      document,
      handle: write(kind, 'create'),
    }),
    route({
      method: 'GET',
      path: one,
      summary: `One ${word}, or its kept versions`,
      operation: 'read',
      query: ['fields', 'version-list'],
      body: 'none',
      document,
      handle: async ({ services, asked, params, query }) => {
        const name = params.name ?? ''
        const known = async () => (await services.config.list(kind, asked)).map((held) => held.name)
        if (query['version-list']) {
          const versions = await found(await services.config.versions(kind, name, asked), short, name, known)
          return list(
            versions.map(({ value }) => value),
            'version',
          )
        }
        const { value, etag } = await found(await services.config.read(kind, name, asked), short, name, known)
        return object(value, { etag })
      },
    }),
    route({
      method: 'PUT',
      path: one,
      summary: `Create or replace one ${word}`,
      operation: 'update',
      query: ['validate', 'dry-run'],
      body: 'text',
      document,
      handle: write(kind, 'replace'),
    }),
    route({
      method: 'PATCH',
      path: one,
      summary: `Change fields of one ${word}: maps are merged, null takes a field away, all else is replaced`,
      operation: 'update',
      query: ['validate', 'dry-run'],
      body: z.record(z.string(), z.unknown()),
      handle: async ({ services, asked, params, query, body, ifMatch }) =>
        answerChange(
          await services.config.patch(kind, params.name ?? '', {
            ...asked,
            patch: body,
            source: 'patch',
            effect: effectOf(query),
            ...(ifMatch !== undefined && { ifMatch }),
          }),
        ),
    }),
    route({
      method: 'DELETE',
      path: one,
      summary: `Delete one ${word}`,
      operation: 'delete',
      query: ['dry-run'],
      body: 'none',
      handle: async ({ services, asked, params, query, ifMatch }) =>
        answerChange(
          await services.config.remove(kind, params.name ?? '', {
            ...asked,
            effect: effectOf(query),
            ...(ifMatch !== undefined && { ifMatch }),
          }),
        ),
    }),
  ]
}

const batchBody = z.strictObject({
  files: z
    .array(
      z.strictObject({
        source: z
          .string()
          .regex(/^[^\p{Cc}\p{Cf}]{1,400}$/u, 'must be the name of a file')
          .meta({ description: 'the file as the person named it; opens every problem' }),
        text: z.string().meta({ description: 'YAML or JSON, one or more documents' }),
      }),
    )
    .min(1)
    .max(200),
  images: z
    .array(z.strictObject({ name: z.string().max(255), digest: z.string().max(100) }))
    .max(1_000)
    .optional()
    .meta({ description: 'for a dry run: images that will have been imported by then' }),
})

/** What is intended: read-write, specifications as they are written. */
export const configRoutes: readonly Route[] = [
  ...routesOf('applications', 'application', 'application'),
  ...routesOf('application-deployments', 'application deployment', 'deployment'),
  route({
    method: 'POST',
    path: '/v1/config',
    summary: 'Create or replace all objects of several files: all of them, or none',
    operation: 'update',
    query: ['validate', 'dry-run'],
    body: batchBody,
    bodyBytes: 16 * 2 ** 20,
    answersList: true,
    handle: async ({ services, asked, query, body: { files, images = [] } }) => {
      const effect = effectOf(query)
      if (effect === 'apply' && images.length > 0)
        throw refusal('bad-request', 'images are named for a dry run only: to hand them over, POST /v1/state/images')
      return list(await services.config.writeAll({ ...asked, files, images, effect }))
    },
  }),
  route({
    method: 'GET',
    path: '/v1/config/topology',
    summary: 'The tree of zones, sites and hosts',
    operation: 'read',
    query: ['fields'],
    body: 'none',
    handle: async ({ services, asked }) => object(await services.config.topology(asked)),
  }),
]
