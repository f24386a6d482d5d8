import * as z from 'zod'
import { parseScopePath } from '../../base/index.ts'
import { object, type Route, route } from './route.ts'

const path = '/v1/state/zone-authority'

const isScope = (text: string): boolean => {
  try {
    return parseScopePath(text) !== '/'
  } catch {
    return false
  }
}
const zone = z.string().max(1_024).refine(isScope, 'must be the path of a zone below the root, like /de/bavaria')
const start = z.string().regex(/^[0-9a-f]{16,64}$/, 'must be 16 to 64 lower-case hexadecimal digits')
const keys = z.array(start).max(64).default([])

const renewBody = z.strictObject({
  zone,
  add: keys.meta({ description: 'fingerprints of keys that join the list, at least 16 digits of each' }),
  remove: keys.meta({ description: 'fingerprints of keys that leave it' }),
  threshold: z.number().int().min(1).max(64).optional().meta({ description: 'how many keys it takes from then on' }),
})
const signBody = z.strictObject({
  zone,
  draft: z
    .string()
    .max(160 * 1024)
    .regex(/^([0-9a-f]{2})+$/, 'must be a draft in hexadecimal'),
})
const narrowBody = z.strictObject({
  zone,
  levels: z
    .record(z.string(), z.enum(['none', 'summary', 'own'], { error: () => 'must be none, summary or own' }))
    .meta({ description: 'by kind: how much may leave at most; `own` leaves it to the zone' }),
})
const retireBody = z.strictObject({
  zone,
  id: z.string().regex(/^[0-9a-f]{16,48}$/, 'must be 16 digits of an id or more'),
})

/** Who speaks for a zone; lists change at the zone's own nodes, ids are closed right above. */
export const authorityRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path,
    summary: 'Who speaks for a zone: its key list, whether it renews that itself, and what waits',
    operation: 'read',
    query: ['fields', 'zone'],
    body: 'none',
    handle: async ({ services, asked, query }) => object(await services.authority.show(query.zone, asked)),
  }),
  route({
    method: 'POST',
    path: `${path}/renew`,
    summary: 'Make the next key list of a zone that renews itself, or a draft for others to sign',
    operation: 'execute',
    query: [],
    body: renewBody,
    handle: async ({ services, asked, body: { zone: of, threshold, ...lists } }) =>
      object(await services.authority.renew(of, { ...asked, ...lists, ...(threshold !== undefined && { threshold }) })),
  }),
  route({
    method: 'POST',
    path: `${path}/sign`,
    summary: 'Sign the draft of a next key list with the key of this node',
    operation: 'execute',
    query: [],
    body: signBody,
    handle: async ({ services, asked, body }) => object(await services.authority.sign(body.zone, body.draft, asked)),
  }),
  route({
    method: 'POST',
    path: '/v1/state/zone-policy/narrow',
    summary: 'Say how much may leave a zone right below at most; the zone goes by it as far as it narrows',
    operation: 'execute',
    query: [],
    body: narrowBody,
    handle: async ({ services, asked, body }) => object(await services.authority.narrow(body.zone, body.levels, asked)),
  }),
  route({
    method: 'POST',
    path: `${path}/retire`,
    summary: 'Close the authority of a zone right below for ever, whose keys are lost: it comes back under another id',
    operation: 'execute',
    query: [],
    body: retireBody,
    handle: async ({ services, asked, body }) => object(await services.authority.retire(body.zone, body.id, asked)),
  }),
]
