import test from 'ava'
import fc from 'fast-check'
import { type Blocked, nothingBlocked } from './block-list.ts'
import { type Delegation, delegationKind } from './delegation.ts'
import { type DeploymentVersion, deploymentVersionKind } from './deployment-version.ts'
import { acceptedKey, type EntryChain, mayStart, type StartContext, type VersionChain } from './may-start.ts'
import { sealRecord } from './record.ts'
import { idNamed, keyNamed, lists, makeList, networkId, powers, publicKeys, scope, trustOf } from './world.contract.ts'

const { trust } = trustOf()
const shop = idNamed('shop')
const fulda = scope('/de/hesse/fulda')
const ownerNamed = (name: string) => trust.owners.get(idNamed(name))

const version = (signer = 'tenant', change: Partial<DeploymentVersion> = {}, by = signer) =>
  sealRecord(
    deploymentVersionKind,
    {
      network: networkId,
      tenant: shop,
      application: idNamed('web'),
      deployment: idNamed('everywhere'),
      name: 'everywhere',
      signer: keyNamed(signer).keyId,
      order: 1,
      revision: 'ab'.repeat(32),
      placement: 'region=south',
      secrets: ['database'],
      ...change,
    },
    [keyNamed(by)],
    powers,
  )
const delegation = (key: string, at: string, change: Partial<Delegation> = {}, by = 'tenant') =>
  sealRecord(
    delegationKind,
    {
      network: networkId,
      tenant: shop,
      generation: 1,
      key: publicKeys([key])[0] ?? '',
      scope: at,
      number: 1,
      isGranted: true,
      ...change,
    },
    [keyNamed(by)],
    powers,
  )

interface Case {
  readonly what?: Partial<VersionChain>
  readonly when?: Partial<EntryChain>
  readonly context?: Partial<StartContext>
}
const ask = ({ what = {}, when = {}, context = {} }: Case = {}): string => {
  const chain: VersionChain = { version: version(), tenant: ownerNamed('shop'), delegations: [], ...what }
  const entry: EntryChain = {
    lane: { kind: 'intent', scope: fulda, tenant: shop, owner: scope('/de/hesse') },
    author: keyNamed('hesse').keyId,
    owner: ownerNamed('/de/hesse'),
    version: chain.version.id,
    ...when,
  }
  const at = { networkId, site: fulda, blocked: nothingBlocked, accepted: new Map(), ...context }
  const may = mayStart(chain, entry, at, powers)
  return may.ok ? 'starts' : may.refusal.code
}
const local: EntryChain['lane'] = { kind: 'local', scope: fulda, tenant: shop }

test('an edge starts what the tenant signed when its parent says so, or its own operators', (t) => {
  t.is(ask(), 'starts')
  const own = { lane: local, author: keyNamed('fulda-b').keyId, owner: ownerNamed('/de/hesse/fulda') }
  t.is(ask({ when: own }), 'starts')
})

test('a stolen aggregator without a delegation can invent nothing', (t) => {
  t.is(ask({ what: { version: version('hesse') } }), 'not-entitled')
  t.is(ask({ what: { version: version('tenant', {}, 'hesse') } }), 'not-enough-signatures', 'in the name of the tenant')
  const own = delegation('hesse', '/de/hesse', {}, 'hesse')
  t.is(ask({ what: { version: version('hesse'), delegations: [own] } }), 'not-entitled', 'delegated by itself')
})

test('with one it signs for sites of its own scope only', (t) => {
  const signed = version('hesse')
  t.is(ask({ what: { version: signed, delegations: [delegation('hesse', '/de/hesse')] } }), 'starts')
  t.is(ask({ what: { version: signed, delegations: [delegation('hesse', '/de/bavaria')] } }), 'out-of-scope')
  t.is(ask({ what: { version: signed, delegations: [delegation('hesse', '/de/hess')] } }), 'out-of-scope')
  t.is(ask({ what: { version: signed, delegations: [delegation('other', '/de/hesse')] } }), 'not-entitled')
  const foreign = delegation('hesse', '/de/hesse', { tenant: idNamed('other') })
  t.is(ask({ what: { version: signed, delegations: [foreign] } }), 'not-entitled')
})

test('a delegation taken back holds no more, whatever order the two came in', (t) => {
  const given = delegation('hesse', '/de/hesse')
  const taken = delegation('hesse', '/de/hesse', { number: 2, isGranted: false })
  const rival = delegation('hesse', '/de/hesse', { number: 2, isGranted: true })
  fc.assert(
    fc.property(fc.shuffledSubarray([given, taken, rival], { minLength: 3 }), (delegations) => {
      t.is(ask({ what: { version: version('hesse'), delegations } }), 'not-entitled')
    }),
  )
  const again = delegation('hesse', '/de/hesse', { number: 3 })
  t.is(ask({ what: { version: version('hesse'), delegations: [given, taken, again] } }), 'starts')
})

test('a delegation of a key the tenant no longer has does not hold', (t) => {
  const next = makeList('/', ['tenant-2'], ['tower'], { role: 'tenant', owner: shop, generation: 2 })
  const tenant = trustOf([...lists, next]).trust.owners.get(shop)
  t.is(tenant?.generation, 2)
  const what = { version: version('hesse'), delegations: [delegation('hesse', '/de/hesse')], tenant }
  t.is(ask({ what }), 'not-entitled')
  t.is(ask({ what: { tenant } }), 'not-entitled', 'nor does a version it signed itself')
})

test('an entry counts from the site’s parent and the site, for this version, this tenant and this site', (t) => {
  t.is(ask({ when: { author: keyNamed('de').keyId } }), 'not-entitled', 'a grandparent')
  t.is(ask({ when: { author: keyNamed('de').keyId, owner: ownerNamed('/de') } }), 'not-entitled')
  t.is(ask({ when: { version: 'cd'.repeat(32) } }), 'wrong-version')
  t.is(ask({ when: { lane: { ...local, tenant: idNamed('other') } as never } }), 'out-of-scope')
  t.is(ask({ when: { lane: { kind: 'local', scope: scope('/de/hesse/kassel'), tenant: shop } } }), 'out-of-scope')
  t.is(ask({ when: { lane: { kind: 'tenant', tenant: shop } } }), 'out-of-scope')
  t.is(ask({ when: { lane: { kind: 'report', scope: fulda } } }), 'out-of-scope')
})

test('a lower order of the same signer is refused; a rollback is a higher one', (t) => {
  const [first, second] = [version(), version('tenant', { order: 2, revision: 'cd'.repeat(32) })]
  const accepted = new Map([[acceptedKey(second.body), { order: 2, id: second.id }]])
  t.is(ask({ context: { accepted } }), 'stale')
  t.is(ask({ what: { version: second }, context: { accepted } }), 'starts', 'the accepted one, again')
  t.is(ask({ what: { version: version('tenant', { order: 2 }) }, context: { accepted } }), 'rival')
  t.is(ask({ what: { version: version('tenant', { order: 3 }) }, context: { accepted } }), 'starts', 'the old revision')
  t.is(ask({ what: { version: version('tenant', { deployment: idNamed('b') }) }, context: { accepted } }), 'starts')
  const delegated = { version: version('hesse'), delegations: [delegation('hesse', '/de/hesse')] }
  t.is(ask({ what: delegated, context: { accepted } }), 'starts', 'another signer counts for itself')
  t.is(first.body.order, 1)
})

test('blocks, other networks and unknown tenants are refused', (t) => {
  const blocked = (change: Partial<Record<keyof Blocked, string[]>>): Case => ({
    context: {
      blocked: {
        ...nothingBlocked,
        ...Object.fromEntries(Object.entries(change).map(([name, ids]) => [name, new Set(ids)])),
      },
    },
  })
  t.is(ask(blocked({ keys: [keyNamed('tenant').keyId] })), 'blocked')
  t.is(ask(blocked({ keys: [keyNamed('hesse').keyId] })), 'blocked')
  t.is(ask(blocked({ tenants: [shop] })), 'blocked')
  const delegated = { version: version('hesse'), delegations: [delegation('hesse', '/de/hesse')] }
  t.is(ask({ ...blocked({ keys: [keyNamed('tenant').keyId] }), what: delegated }), 'not-entitled', 'delegated by one')
  t.is(ask({ context: { networkId: 'ab'.repeat(32) } }), 'wrong-network')
  t.is(ask({ what: { tenant: undefined } }), 'unknown-issuer')
  t.is(ask({ what: { tenant: ownerNamed('/de') } }), 'unknown-issuer', 'a zone is no tenant')
})

test('a version names a deployment as people may call one', (t) => {
  t.is(version('tenant', { name: 'shop-2' }).body.name, 'shop-2')
  for (const name of ['', 'Shop', 'a/b', 'x'.repeat(64)])
    t.throws(() => version('tenant', { name }), { instanceOf: RangeError }, name)
})
