import { found } from './found.ts'
import type { QueryKey } from './query.ts'
import { type Answer, list, listQuery, object, type Route, type RouteContext, route } from './route.ts'
import type { AskedState, StateServices } from './services.ts'

type Context = RouteContext<undefined>

export const askedState = ({ asked, query }: Pick<Context, 'asked' | 'query'>): AskedState => ({
  ...asked,
  ...(query.site !== undefined && { site: query.site }),
})

const read = (
  path: string,
  summary: string,
  query: readonly QueryKey[],
  ask: (state: StateServices, asked: AskedState, context: Context) => Promise<Answer>,
  required: readonly QueryKey[] = [],
): Route =>
  route({
    method: 'GET',
    path: `/v1/state/${path}`,
    summary,
    operation: 'read',
    query,
    required,
    body: 'none',
    handle: (context) => ask(context.services.state, askedState(context), context),
  })

const one = ['fields', 'site'] as const
const many = [...listQuery, 'site'] as const

const namesOf = (items: readonly { readonly name: string }[]): readonly string[] => items.map(({ name }) => name)

const application = (name: string, state: StateServices, asked: AskedState) =>
  ['application', name, async () => namesOf(await state.applications(asked))] as const

/** What is observed: read-only; `site` asks that site through the tree. */
export const stateRoutes: readonly Route[] = [
  read('node', 'The node that answers', one, async (state, asked) => object(await state.node(asked))),
  read('tree', 'Zones, sites and hosts below this node', one, async (state, asked) => object(await state.tree(asked))),
  read('sites', 'All sites', many, async (state, asked) => list(await state.sites(asked))),
  read('sites/{name}', 'One site', one, async (state, asked, { params: { name = '' } }) =>
    object(await found(await state.site(name, asked), 'site', name, async () => namesOf(await state.sites(asked)))),
  ),
  read(
    'site-diff',
    'What differs between two sites: labels, hosts, and what is wanted and runs there',
    ['fields', 'a', 'b'],
    async (state, asked, { query: { a = '', b = '' } }) => object(await state.siteDiff(a, b, asked)),
    ['a', 'b'],
  ),
  read('hosts', 'All hosts', many, async (state, asked) => list(await state.hosts(asked))),
  read('zones', 'All zones', many, async (state, asked) => list(await state.zones(asked), 'scope')),
  read(
    'zone-policy',
    'What may leave a zone, and what each ancestor sees of it',
    ['fields', 'site', 'zone'],
    async (state, asked, { query: { zone = '/' } }) => {
      const known = async () => (await state.zones(asked)).map(({ scope }) => scope)
      return object(await found(await state.zonePolicy(zone, asked), 'zone', zone, known))
    },
    ['zone'],
  ),
  read('applications', 'All applications', many, async (state, asked) => list(await state.applications(asked))),
  read('applications/{name}', 'One application', one, async (state, asked, { params: { name = '' } }) =>
    object(await found(await state.application(name, asked), ...application(name, state, asked))),
  ),
  read(
    'applications/{name}/service-instances',
    'Its service instances',
    many,
    async (state, asked, { params: { name = '' } }) =>
      list(await found(await state.serviceInstances(name, asked), ...application(name, state, asked))),
  ),
  read(
    'applications/{name}/explain',
    'The chain to its running containers on a site, and where it stopped',
    one,
    async (state, asked, { params }) => object(await state.explain(params.name ?? '', asked)),
  ),
  read('application-deployments', 'All application deployments', many, async (state, asked) =>
    list(await state.deployments(asked)),
  ),
  read(
    'application-deployments/{name}',
    'One application deployment',
    one,
    async (state, asked, { params: { name = '' } }) => {
      const known = async () => namesOf(await state.deployments(asked))
      return object(await found(await state.deployment(name, asked), 'deployment', name, known))
    },
  ),
]
