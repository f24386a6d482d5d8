import test from 'ava'
import { nothingBlocked } from './block-list.ts'
import { matchesGolden } from './golden-text.contract.ts'
import type { Lane } from './lane.ts'
import { mayWrite } from './may-write.ts'
import { bavariaId, idNamed, keyNamed, lists, makeList, scope, trustOf } from './world.contract.ts'

const shop = idNamed('shop')
const [root, de, hesse, fulda, by] = ['/', '/de', '/de/hesse', '/de/hesse/fulda', '/de/bavaria'].map(scope) as [
  ReturnType<typeof scope>,
  ReturnType<typeof scope>,
  ReturnType<typeof scope>,
  ReturnType<typeof scope>,
  ReturnType<typeof scope>,
]
const lanes: Readonly<Record<string, Lane>> = {
  'tenant/shop': { kind: 'tenant', tenant: shop },
  'tenant/other': { kind: 'tenant', tenant: idNamed('other') },
  'access//de/hesse/shop': { kind: 'access', scope: hesse, tenant: shop },
  'intent//de/shop//': { kind: 'intent', scope: de, tenant: shop, owner: root },
  'intent//de/hesse/shop//de': { kind: 'intent', scope: hesse, tenant: shop, owner: de },
  'intent//de/hesse/shop// (not its parent)': { kind: 'intent', scope: hesse, tenant: shop, owner: root },
  'intent//de/hesse/fulda/shop//de/hesse': { kind: 'intent', scope: fulda, tenant: shop, owner: hesse },
  'intent///shop// (nothing is above)': { kind: 'intent', scope: root, tenant: shop, owner: root },
  'local//de/hesse/shop': { kind: 'local', scope: hesse, tenant: shop },
  'local//de/hesse/fulda/shop': { kind: 'local', scope: fulda, tenant: shop },
  'zone//de/hesse of the parent': { kind: 'zone', scope: hesse, side: 'parent' },
  'zone//de/hesse of its own': { kind: 'zone', scope: hesse, side: 'own' },
  'zone//de/bavaria of the parent': { kind: 'zone', scope: by, side: 'parent' },
  'zone//de/bavaria of its own': { kind: 'zone', scope: by, side: 'own' },
  'zone//de/hesse/fulda of its own (a site is no zone)': { kind: 'zone', scope: fulda, side: 'own' },
  'zone// of the parent (nothing is above)': { kind: 'zone', scope: root, side: 'parent' },
  'member//de/hesse/fulda': { kind: 'member', scope: fulda },
  'report//de/hesse': { kind: 'report', scope: hesse },
  'report//de/hesse/fulda': { kind: 'report', scope: fulda },
}
const { trust } = trustOf()
const writers = {
  root: ['root', '/'],
  tower: ['tower', '/'],
  de: ['de', '/de'],
  hesse: ['hesse', '/de/hesse'],
  'fulda-a': ['fulda-a', '/de/hesse/fulda'],
  by1: ['by1', bavariaId],
  tenant: ['tenant', 'shop'],
} as const
const ownerNamed = (name: string) => trust.owners.get(name === bavariaId ? name : idNamed(name))

test('who may write each lane', (t) => {
  const rows = Object.entries(lanes).map(([name, lane]) => {
    const may = Object.entries(writers).flatMap(([writer, [key, owner]]) =>
      mayWrite(keyNamed(key).keyId, lane, { owner: ownerNamed(owner), blocked: nothingBlocked, isClosed: false }).ok
        ? [writer]
        : [],
    )
    return `${name.padEnd(54)} ${may.join(' ') || '-'}`
  })
  matchesGolden(t, 'may-write.txt', rows.join('\n'))
})

test('a blocked key or tenant, a closed lane and a key that left its list do not write', (t) => {
  const lane = lanes['local//de/hesse/fulda/shop']!
  const key = keyNamed('fulda-a').keyId
  const owner = ownerNamed('/de/hesse/fulda')
  const ask = (change: Partial<Parameters<typeof mayWrite>[2]>, at = lane, by = key) => {
    const may = mayWrite(by, at, { owner, blocked: nothingBlocked, isClosed: false, ...change })
    return may.ok ? 'yes' : may.refusal.code
  }
  t.is(ask({}), 'yes')
  t.is(ask({ blocked: { ...nothingBlocked, keys: new Set([key]) } }), 'blocked')
  t.is(ask({ isClosed: true }), 'closed')
  t.is(ask({ owner: undefined }), 'not-entitled')
  const next = makeList('/de/hesse/fulda', ['fulda-b'], ['hesse'], { role: 'site', generation: 2 })
  const later = trustOf([...lists, next]).trust.owners.get(idNamed('/de/hesse/fulda'))
  t.is(ask({ owner: later }), 'not-entitled')
  const tenants = { ...nothingBlocked, tenants: new Set([shop]) }
  const tenant = { owner: ownerNamed('shop'), blocked: tenants }
  t.is(ask(tenant, lanes['tenant/shop']!, keyNamed('tenant').keyId), 'blocked')
})
