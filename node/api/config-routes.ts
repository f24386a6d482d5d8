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

const routesOf = (kind: ConfigKind, word: string): readonly Route[] => {
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
        if (query['version-list'])
          return list(
            (await services.config.versions(kind, name, asked))?.map(({ value }) => value),
            'version',
          )
        const found = await services.config.read(kind, name, asked)
        return object(found?.value, found && { etag: found.etag })
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

/** What is intended: read-write, specifications as they are written. */
export const configRoutes: readonly Route[] = [
  ...routesOf('applications', 'application'),
  ...routesOf('application-deployments', 'application deployment'),
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
