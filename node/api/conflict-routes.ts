import * as z from 'zod'
import { list, listQuery, object, type Route, route } from './route.ts'

const settleBody = z.strictObject({
  take: z
    .string()
    .regex(/^(local|above|[0-9a-f]{4,32})$/, 'must be the id of a candidate, local or above')
    .meta({ description: 'the candidate: first digits of its id, `local` or `above`' }),
  zone: z.string().max(1_024).optional().meta({ description: 'the zone where the words meet [default: the only one]' }),
})

/** What those who may decide do not agree about. */
export const conflictRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/state/conflicts',
    summary: 'Applications that scopes above and a zone decided differently, with what each of them wants',
    operation: 'read',
    query: [...listQuery],
    body: 'none',
    handle: async ({ services, asked }) => list(await services.conflicts.list(asked), 'application'),
  }),
  route({
    method: 'POST',
    path: '/v1/state/conflicts/{name}/settle',
    summary: 'End a conflict by taking one of its candidates',
    operation: 'execute',
    query: [],
    body: settleBody,
    handle: async ({ services, asked, params, body }) =>
      object(
        await services.conflicts.settle(params.name ?? '', {
          ...asked,
          take: body.take,
          ...(body.zone !== undefined && { zone: body.zone }),
        }),
      ),
  }),
]
