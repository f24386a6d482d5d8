import { readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import * as Y from 'yjs'
import { admitUpdate, createSiteView, hostsByClient, type SiteView, viewGuards, viewLimits } from './index.ts'

const h1 = { hostId: 'h1', clientId: 11 }
const h2 = { hostId: 'h2', clientId: 22 }
const hosts = [h1, h2, { hostId: 'h3', clientId: 33 }]
const none = new Map<number, number>()
const message = (update: Uint8Array) => Uint8Array.from([1, ...update])
const docOf = (clientId: number) => {
  const doc = new Y.Doc()
  doc.clientID = clientId
  return doc
}
const stateOf = (clientId: number, key: string, value: unknown) => {
  const doc = docOf(clientId)
  doc.getMap('view').set(key, value)
  return Y.encodeStateAsUpdate(doc)
}
const codeOf = (result: { ok: true } | { ok: false; refusal: { code: string } }) =>
  result.ok ? 'ok' : result.refusal.code

/** Sends what `from` wrote and `to` lacks. */
const send = (from: SiteView, hostId: string, to: SiteView) => {
  const update = from.updateFor(to.vector())
  return update === undefined ? 'nothing' : codeOf(to.receive(update, hostId))
}

test('every host sees what every host wrote, whatever the order of writing and meeting', (t) => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('set' as const),
      host: fc.nat(2),
      field: fc.nat(2),
      value: fc.oneof(fc.string({ maxLength: 5 }), fc.integer(), fc.boolean()),
    }),
    fc.record({ kind: fc.constant('delete' as const), host: fc.nat(2), field: fc.nat(2) }),
    fc.record({ kind: fc.constant('meet' as const), host: fc.nat(2), to: fc.nat(2) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const views = hosts.map(({ hostId }) => createSiteView(hosts, hostId))
      const expected = new Map<string, unknown>()
      const answers: string[] = []
      for (const one of steps) {
        if (one.kind === 'meet') {
          if (one.host !== one.to) answers.push(send(views[one.host]!, hosts[one.host]!.hostId, views[one.to]!))
          continue
        }
        const key = `${hosts[one.host]!.hostId}/${one.field}`
        if (one.kind === 'set') views[one.host]!.set(key, one.value)
        else views[one.host]!.delete(key)
        if (one.kind === 'set') expected.set(key, one.value)
        else expected.delete(key)
      }
      for (const [at, from] of views.entries())
        for (const to of views) if (to !== from) answers.push(send(from, hosts[at]!.hostId, to))
      const sorted = [...expected].toSorted(([a], [b]) => (a < b ? -1 : 1))
      const agree = views.every((view) => JSON.stringify([...view.values()]) === JSON.stringify(sorted))
      for (const view of views) view.free()
      return agree && answers.every((answer) => answer === 'ok' || answer === 'nothing')
    }),
  )
  t.pass()
})

/** Updates no honest host makes, with the guard that stops each. */
const attacks: readonly {
  name: keyof typeof viewGuards
  update: Uint8Array
  code: string
  known: Map<number, number>
}[] = (() => {
  const victim = docOf(h1.clientId)
  victim.getMap('view').set('h1', 'good')
  const state = Y.encodeStateAsUpdate(victim)
  const known = new Map([[h1.clientId, 1]])
  const attacker = (clientId = h2.clientId) => {
    const doc = docOf(clientId)
    Y.applyUpdate(doc, state)
    return doc
  }
  const since = (doc: Y.Doc, act: (map: Y.Map<unknown>) => void) => {
    const before = Y.encodeStateVector(doc)
    act(doc.getMap('view'))
    return Y.encodeStateAsUpdate(doc, before)
  }
  const later = docOf(h2.clientId)
  later.getMap('view').set('h2', 1)
  const behind = Y.encodeStateVector(later)
  later.getMap('view').set('h2', 2)
  const ahead = docOf(h2.clientId)
  ahead.getMap('view').set('h2', 1)
  ahead.getMap('view').set('h2', 2)
  const nested = docOf(h2.clientId)
  nested.getMap('view').set('h2', { deep: true })
  const onlyDeletes = Uint8Array.of(0, 1, h2.clientId, 1, 0, 5)
  return [
    {
      name: 'deletes',
      update: since(attacker(), (map) => map.delete('h1')),
      code: 'foreign-client',
      known: new Map([...known, [h2.clientId, 5]]),
    },
    {
      name: 'keys',
      update: stateOf(h2.clientId, 'h1', 'bad'),
      code: 'foreign-key',
      known,
    },
    { name: 'base', update: Y.encodeStateAsUpdate(later, behind), code: 'missing-base', known: none },
    { name: 'shape', update: Y.encodeStateAsUpdate(nested), code: 'unsupported-shape', known: none },
    { name: 'deletedRanges', update: onlyDeletes, code: 'missing-base', known: none },
  ]
})()

for (const { name, update, code, known } of attacks)
  test(`${name}: the attack is refused, and passes without its guard`, (t) => {
    t.is(codeOf(admitUpdate(message(update), h2, known)), code)
    const others = Object.entries(viewGuards).flatMap(([key, guard]) => (key === name ? [] : [guard]))
    t.is(codeOf(admitUpdate(message(update), h2, known, others)), 'ok')
  })

test('a host that builds on another host, or right of it, is refused', (t) => {
  const victim = docOf(h1.clientId)
  victim.getMap('view').set('h1', 'good')
  const doc = docOf(h2.clientId)
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(victim))
  const before = Y.encodeStateVector(doc)
  doc.getMap('view').set('h1', 'bad')
  const parts = Y.decodeUpdate(Y.encodeStateAsUpdate(doc, before))
  t.deepEqual(
    parts.structs.map(({ id }) => id.client),
    [h2.clientId],
  )
  t.is(
    codeOf(admitUpdate(message(Y.encodeStateAsUpdate(doc, before)), h2, new Map([[h1.clientId, 1]]))),
    'foreign-client',
  )
  const others = Object.entries(viewGuards).flatMap(([key, guard]) => (key === 'deletes' ? [] : [guard]))
  t.is(codeOf(admitUpdate(message(Y.encodeStateAsUpdate(doc, before)), h2, none, others)), 'foreign-key')
})

test('an update in the name of another host is refused before Yjs reads it', (t) => {
  const forged = docOf(h1.clientId)
  forged.getMap('view').set('h1', 'forged')
  const update = Y.encodeStateAsUpdate(forged)
  const view = createSiteView(hosts, 'h3')
  t.is(codeOf(view.receive(message(update), 'h2')), 'foreign-client')
  t.is(codeOf(view.receive(message(update), 'stranger')), 'unknown-host')
  t.is(codeOf(view.receive(message(update), 'h3')), 'unknown-host')
  t.is(view.values().size, 0)
  const both = docOf(h2.clientId)
  both.getMap('view').set('h2', 1)
  Y.applyUpdate(both, update)
  t.is(codeOf(view.receive(message(Y.encodeStateAsUpdate(both)), 'h2')), 'foreign-client')
  const later = { ...h2, clientId: h1.clientId }
  t.is(codeOf(admitUpdate(message(update), later, none, [])), 'ok')
})

test('every struct is held against the sender, also behind a head that says so', (t) => {
  // The head names the sender once; a struct decoded for another client would only come from a fault of the decoder.
  const update = Y.decodeUpdate(stateOf(h1.clientId, 'h1', 1))
  t.is(viewGuards.structs({ update, sender: h2, known: none })?.code, 'foreign-client')
  t.is(viewGuards.structs({ update, sender: h1, known: none }), undefined)
})

test('ten thousand updates without their base leave nothing behind', (t) => {
  const doc = docOf(h2.clientId)
  const map = doc.getMap('view')
  map.set('h2', 0)
  const view = createSiteView(hosts, 'h1')
  let refused = 0
  for (let at = 1; at <= 10_000; at++) {
    const before = Y.encodeStateVector(doc)
    map.set('h2', at)
    if (codeOf(view.receive(message(Y.encodeStateAsUpdate(doc, before)), 'h2')) !== 'ok') refused += 1
  }
  t.is(refused, 10_000)
  t.is(view.vector().length, 1)
  t.is(codeOf(view.receive(message(Y.encodeStateAsUpdate(doc)), 'h2')), 'ok')
  t.is(view.values().get('h2'), 10_000)
})

test('a host that restarts goes on from what it saved; one that lost it is told by the others', (t) => {
  const first = createSiteView(hosts, 'h2')
  const other = createSiteView(hosts, 'h1')
  first.set('h2', 1)
  const saved = first.save()
  t.is(send(first, 'h2', other), 'ok')
  const again = createSiteView(hosts, 'h2', saved)
  t.false(again.isBehind(other.vector()))
  again.set('h2', 2)
  t.is(send(again, 'h2', other), 'ok')
  t.is(other.values().get('h2'), 2)
  t.true(createSiteView(hosts, 'h2').isBehind(other.vector()))
  t.true(createSiteView(hosts, 'h2', saved).isBehind(other.vector()))
  t.false(again.isBehind(Uint8Array.of(255)))
})

test('counts that the bytes cannot hold, garbage and sizes are refused without an error', (t) => {
  const code = (bytes: readonly number[]) => codeOf(admitUpdate(Uint8Array.from(bytes), h2, none))
  t.is(code([]), 'malformed')
  t.is(code([2, 0, 0]), 'newer-format')
  t.is(code([0, 0, 0]), 'malformed')
  t.is(code([1, 1, 0xff, 0xff, 0xff, 0x7f, 22, 0]), 'too-large')
  t.is(code([1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), 'malformed')
  t.is(code([1, 2, 1, 22, 0, 0]), 'foreign-client')
  t.is(codeOf(admitUpdate(new Uint8Array(viewLimits.updateBytes + 1).fill(1), h2, none)), 'too-large')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      const view = createSiteView(hosts, 'h1')
      view.set('h1', 1)
      const result = view.receive(message(Uint8Array.from([1, 1, 22, 0, ...bytes])), 'h2')
      const kept = view.values().get('h1') === 1
      view.free()
      return kept && (result.ok || result.refusal.code !== 'trap')
    }),
  )
})

test('a host writes only under its own keys, and only short scalars', (t) => {
  const view = createSiteView(hosts, 'h1')
  t.throws(() => view.set('h2', 1), { instanceOf: RangeError })
  t.throws(() => view.set('h10', 1), { instanceOf: RangeError })
  t.throws(() => view.delete('h2/x'), { instanceOf: RangeError })
  t.throws(() => view.set('h1', Number.NaN), { instanceOf: RangeError })
  t.throws(() => view.set('h1', 'x'.repeat(viewLimits.textLength + 1)), { instanceOf: RangeError })
  t.throws(() => createSiteView(hosts, 'h9'), { instanceOf: RangeError })
  t.throws(() => hostsByClient([h1, { hostId: 'x', clientId: 11 }]), { instanceOf: RangeError })
  t.throws(() => hostsByClient([{ hostId: 'x', clientId: 0 }]), { instanceOf: RangeError })
})

test('the fixture of format 1 is admitted, and the same writes give the same bytes', (t) => {
  const view = createSiteView(hosts, 'h2')
  view.set('h2/ready', true)
  view.set('h2/cpu', 0.25)
  view.set('h2/cpu', 3)
  view.delete('h2/ready')
  view.set('h2', 'up')
  const written = `${Buffer.from(view.updateFor(Uint8Array.of(0))!).toString('hex')}\n`
  const file = new URL('../fixtures/view-update.1.hex', import.meta.url)
  if (process.env.GOLDEN === 'write') writeFileSync(file, written)
  const kept = readFileSync(file, 'utf8')
  t.is(written, kept)
  const other = createSiteView(hosts, 'h1')
  t.is(codeOf(other.receive(Buffer.from(kept.trim(), 'hex'), 'h2')), 'ok')
  t.deepEqual(
    [...other.values()],
    [
      ['h2', 'up'],
      ['h2/cpu', 3],
    ],
  )
})
