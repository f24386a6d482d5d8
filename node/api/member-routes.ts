import * as z from 'zod'
import { namePattern, parseScopePath } from '../../base/index.ts'
import { list, listQuery, object, type Route, type RouteContext, route } from './route.ts'
import type { AskedMember, BlockTarget, CallingHost } from './services.ts'

const path = '/v1/state/system/call-home-hosts'

const askedMember = ({ asked, query }: Pick<RouteContext<unknown>, 'asked' | 'query'>): AskedMember => ({
  ...asked,
  ...(query.zone !== undefined && { zone: query.zone }),
})

const name = z.string().regex(namePattern, 'must be a name: lower-case letters, digits and inner dashes')

const isZone = (text: string): boolean => {
  try {
    return parseScopePath(text) !== '/'
  } catch {
    return false
  }
}

const claimBody = z
  .strictObject({
    fingerprint: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits')
      .optional()
      .meta({ description: 'the key that calls' }),
    'host-id': z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, 'must be a host-id')
      .optional()
      .meta({ description: 'the machine that calls, where only one key calls for it' }),
    name: name.meta({ description: 'the expected host it is' }),
  })
  .refine((body) => (body.fingerprint === undefined) !== (body['host-id'] === undefined), {
    message: 'say who calls: either fingerprint or host-id',
  })

const blockBody = z
  .strictObject({
    host: name.optional(),
    site: name.optional(),
    zone: z.string().refine(isZone, 'must be the path of a zone below the root, like /de/bavaria').optional(),
  })
  .refine((body) => Object.values(body).filter((value) => value !== undefined).length === 1, {
    message: 'name one of host, site and zone',
  })

const targetOf = ({ host, site, zone }: z.infer<typeof blockBody>): BlockTarget => {
  if (host !== undefined) return { kind: 'host', host }
  return site !== undefined ? { kind: 'site', site } : { kind: 'zone', zone: zone ?? '' }
}

const callingHost = ({ fingerprint, 'host-id': hostId = '' }: z.infer<typeof claimBody>): CallingHost =>
  fingerprint !== undefined ? { fingerprint } : { hostId }

/** Who belongs to the scope of the node that answers, and who asks to: that node alone enrols, claims and blocks them. */
export const memberRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path,
    summary: 'Hosts that belong here or ask to, and how far they are',
    operation: 'read',
    query: [...listQuery, 'zone'],
    body: 'none',
    handle: async (context) => list(await context.services.members.list(askedMember(context))),
  }),
  route({
    method: 'POST',
    path: `${path}/{name}/token`,
    summary: 'Make the one-time token with which one machine may join as this host; it is shown once',
    operation: 'execute',
    query: ['zone'],
    body: 'none',
    handle: async (context) =>
      object(await context.services.members.token(context.params.name ?? '', askedMember(context))),
  }),
  route({
    method: 'POST',
    path: `${path}/claim`,
    summary: 'Say yes to a key that calls: it is the named host from now on',
    operation: 'execute',
    query: ['zone'],
    body: claimBody,
    handle: async (context) =>
      object(await context.services.members.claim(callingHost(context.body), context.body.name, askedMember(context))),
  }),
  route({
    method: 'POST',
    path: `${path}/block`,
    summary: 'Cut off a host, a site or a zone: its links are closed and it is refused',
    operation: 'execute',
    query: ['zone'],
    body: blockBody,
    answersList: true,
    handle: async (context) => list(await context.services.members.block(targetOf(context.body), askedMember(context))),
  }),
  route({
    method: 'POST',
    path: `${path}/allow`,
    summary: 'Take a block back',
    operation: 'execute',
    query: ['zone'],
    body: blockBody,
    answersList: true,
    handle: async (context) => list(await context.services.members.allow(targetOf(context.body), askedMember(context))),
  }),
]
