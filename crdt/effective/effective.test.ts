import { readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { nodeHash } from '../authority/index.ts'
import {
  type Conflict,
  choose,
  compareCandidates,
  type Entry,
  effective,
  entryLimits,
  formatEntry,
  type LanePolicy,
  type LaneView,
  maySettle,
  opaqueId,
  outcomes,
  parseEntry,
  type ReadEntry,
  replacingEntry,
  runs,
  settlingEntry,
} from './index.ts'

const id = (n: number) => n.toString(16).padStart(32, '0')
const versionOf = (n: number) => n.toString(16).padStart(64, '0')
const read = (entry: Entry): ReadEntry => {
  const result = parseEntry(formatEntry(entry), nodeHash)
  if (!result.ok) throw new Error(result.refusal.message)
  return result.entry
}

const decisions = fc.integer({ min: 1, max: 6 })
const entries = fc
  .record({
    decision: decisions,
    version: fc.integer({ min: 0, max: 3 }),
    step: fc.nat(2),
    n: fc.integer({ min: 1, max: 4 }),
    seen: fc.uniqueArray(decisions, { maxLength: 3 }),
  })
  .map(({ decision, version, step, n, seen }) =>
    read({
      decision: id(decision),
      version: version === 0 ? null : versionOf(version),
      step,
      share: null,
      fence: { generation: 1, n },
      seen: seen.filter((other) => other !== decision).map(id),
      retired: version === 0,
    }),
  )
const applications = ['bakery', 'shop']
const laneNames = ['intent/a', 'intent/b', 'local'] as const
const held = fc.record({
  lane: fc.constantFrom(...laneNames),
  application: fc.constantFrom(...applications),
  entry: entries,
})
type Held = typeof held extends fc.Arbitrary<infer T> ? T : never
const policies: fc.Arbitrary<LanePolicy> = fc.record({
  laneOrder: fc.constantFrom<LanePolicy['laneOrder']>(['local', 'intent'], ['intent', 'local'], ['local'], []),
  settle: fc.constantFrom('zone', 'ancestor'),
})

const lanesOf = (all: readonly Held[]): readonly LaneView[] => {
  const names = [...new Set(all.map(({ lane }) => lane))]
  return names.map((lane) => {
    const own = all.filter((one) => one.lane === lane)
    const byApplication = [...new Set(own.map(({ application }) => application))].map(
      (application) =>
        [application, own.filter((one) => one.application === application).map(({ entry }) => entry)] as const,
    )
    return { lane, voice: lane === 'local' ? 'local' : 'intent', entries: new Map(byApplication) }
  })
}
const shown = (found: ReturnType<typeof effective>) => JSON.stringify([...found])
const conflictsOf = (found: ReturnType<typeof effective>): readonly Conflict[] =>
  [...found.values()].filter((one) => one.kind === 'conflict')

test('whatever the lanes hold, each application they name has an entry or a conflict of at least two', (t) => {
  fc.assert(
    fc.property(fc.array(held, { maxLength: 12 }), policies, (all, policy) => {
      const found = effective(lanesOf(all), policy)
      const named = new Set(all.map(({ application }) => application))
      return (
        found.size === named.size &&
        conflictsOf(found).every(
          ({ candidates }) =>
            candidates.length >= 2 &&
            JSON.stringify(candidates.toSorted(compareCandidates)) === JSON.stringify(candidates),
        )
      )
    }),
  )
  t.pass()
})

test('the order of lanes and entries, and lanes in pieces or twice, change nothing', (t) => {
  fc.assert(
    fc.property(fc.array(held, { maxLength: 12 }), policies, (all, policy) => {
      const whole = shown(effective(lanesOf(all), policy))
      const pieces = all.flatMap((one) => lanesOf([one]))
      return (
        shown(effective(lanesOf(all.toReversed()), policy)) === whole &&
        shown(effective([...pieces.toReversed(), ...pieces], policy)) === whole
      )
    }),
  )
  t.pass()
})

test('what was left over, judged again, is left over again', (t) => {
  fc.assert(
    fc.property(fc.array(held, { maxLength: 12 }), policies, (all, policy) => {
      const found = effective(lanesOf(all), policy)
      const left = [...found.values()].flatMap((one) =>
        one.kind === 'entry'
          ? [{ lane: one.lane as Held['lane'], application: one.application, entry: one.entry }]
          : one.candidates.map(({ lane, entry }) => ({
              lane: lane as Held['lane'],
              application: one.application,
              entry,
            })),
      )
      return shown(effective(lanesOf(left), policy)) === shown(found)
    }),
  )
  t.pass()
})

test('one entry that names every candidate ends any conflict, wherever it may be written', (t) => {
  fc.assert(
    fc.property(
      fc.array(held, { maxLength: 12 }),
      policies,
      fc.constantFrom(...laneNames),
      fc.boolean(),
      (all, policy, lane, isRetired) => {
        const choice = {
          decision: id(99),
          version: isRetired ? null : versionOf(9),
          step: 0,
          fence: { generation: 1, n: 9 },
        }
        return conflictsOf(effective(lanesOf(all), policy)).every((conflict) => {
          const entry = read(settlingEntry(conflict, choice))
          const after = effective(lanesOf([...all, { lane, application: conflict.application, entry }]), policy)
          const now = after.get(conflict.application)
          const isSettled = now?.kind === 'entry' && now.entry.decision === choice.decision
          return isSettled === maySettle(conflict, lane === 'local' ? 'local' : 'intent', policy)
        })
      },
    ),
  )
  t.pass()
})

test('a choice stays while its entry is a candidate, however many others come and whatever the policy prefers', (t) => {
  fc.assert(
    fc.property(
      fc.array(held, { minLength: 1, maxLength: 6 }),
      fc.array(fc.array(held, { maxLength: 3 })),
      policies,
      (first, waves, policy) => {
        let all = first
        let last = new Map<string, ReadEntry>()
        for (const wave of [[], ...waves]) {
          all = [...all, ...wave]
          const found = effective(lanesOf(all), policy)
          const next = new Map(last)
          for (const [application, now] of found) {
            const before = last.get(application)
            const run = runs(before, now, policy)
            if (run === undefined) return false
            next.set(application, run)
            const candidates = now.kind === 'conflict' ? now.candidates : []
            const isStill = candidates.some(({ entry }) => entry.hash === before?.hash)
            if (isStill && run.hash !== before?.hash) return false
          }
          last = next
          // Asked again with nothing new, it answers the same.
          for (const [application, now] of found)
            if (runs(last.get(application), now, policy) !== last.get(application)) {
              if (runs(last.get(application), now, policy)?.hash !== last.get(application)?.hash) return false
            }
        }
        return true
      },
    ),
  )
  t.pass()
})

test('lanes that are absent never stop what runs', (t) => {
  fc.assert(
    fc.property(entries, policies, (last, policy) => {
      const found = effective([{ lane: 'local', voice: 'local', entries: new Map([['shop', []]]) }], policy)
      return (
        found.size === 0 &&
        runs(last, found.get('shop'), policy) === last &&
        runs(undefined, undefined, policy) === undefined
      )
    }),
  )
  t.pass()
})

test('every conflict has something to run, and it is one of its candidates', (t) => {
  fc.assert(
    fc.property(
      fc.array(held, { maxLength: 12 }),
      policies,
      fc.option(entries, { nil: undefined }),
      (all, policy, last) =>
        conflictsOf(effective(lanesOf(all), policy)).every((conflict) => {
          const chosen = choose(conflict, last, policy)
          return chosen !== undefined && conflict.candidates.includes(chosen)
        }),
    ),
  )
  t.pass()
})

test('every decision from above has one outcome, and local decisions leave only as opaque ids', (t) => {
  const salt = new Uint8Array(32).fill(7)
  const opaque = (decision: string) => opaqueId(decision, salt, nodeHash)
  fc.assert(
    fc.property(fc.array(held, { maxLength: 12 }), policies, (all, policy) => {
      const lanes = lanesOf(all)
      const found = outcomes(lanes, effective(lanes, policy), opaque)
      const above = all
        .filter(({ lane }) => lane !== 'local')
        .map(({ application, entry }) => `${application} ${entry.decision}`)
      const local = new Set(all.filter(({ lane }) => lane === 'local').map(({ entry }) => opaque(entry.decision)))
      return (
        [...new Set(above)].toSorted().join() ===
          found
            .map(({ application, decision }) => `${application} ${decision}`)
            .toSorted()
            .join() && found.every(({ by }) => by.every((one) => local.has(one)))
      )
    }),
  )
  t.not(opaqueId(id(1), salt, nodeHash), opaqueId(id(1), new Uint8Array(32), nodeHash))
  t.not(opaqueId(id(1), salt, nodeHash), opaqueId(id(2), salt, nodeHash))
})

test('an entry that replaces names what stands, and as much of what came before as there is room', (t) => {
  const choice = { decision: id(1), version: versionOf(1), step: 0, fence: { generation: 1, n: 1 } }
  t.deepEqual(replacingEntry([id(3), id(2), id(1)], [id(5), id(2)], choice).seen, [id(2), id(3), id(5)])
  const many = Array.from({ length: 300 }, (_, at) => id(at + 10))
  const { seen } = replacingEntry([id(2)], many, choice)
  t.is(seen.length, entryLimits.seen)
  t.true(seen.includes(id(2)))
})

const good: Entry = {
  decision: id(1),
  version: versionOf(2),
  step: 3,
  share: null,
  fence: { generation: 4, n: 5 },
  seen: [id(7), id(6)],
  retired: false,
}

test('the fixture of format 1 reads and writes to the same text', (t) => {
  const file = new URL('../fixtures/entries.1.txt', import.meta.url)
  const written = `${[good, { ...good, version: null, retired: true, seen: [] }].map(formatEntry).join('\n')}\n`
  if (process.env.GOLDEN === 'write') writeFileSync(file, written)
  const kept = readFileSync(file, 'utf8')
  t.is(written, kept)
  for (const line of kept.trimEnd().split('\n')) {
    const result = parseEntry(line, nodeHash)
    t.is(result.ok && formatEntry(result.entry), line)
  }
})

test('a text that is not the one form of an entry is refused with its reason', (t) => {
  const text = formatEntry(good)
  const with_ = (change: Record<string, unknown>) => {
    const raw = { ...JSON.parse(text), ...change }
    return JSON.stringify(Object.fromEntries(Object.entries(raw).toSorted(([a], [b]) => (a < b ? -1 : 1))))
  }
  const code = (given: string) => {
    const result = parseEntry(given, nodeHash)
    return result.ok ? 'ok' : result.refusal.code
  }
  t.is(code(text), 'ok')
  t.is(code(with_({ note: 'kept and ignored' })), 'ok')
  for (const bad of ['', '{', '[]', 'null', '1', ` ${text}`, text.replace('"step":3', '"step":3.0'), `${text}${text}`])
    t.is(code(bad), 'bad-entry', bad)
  for (const change of [
    { decision: 'x' },
    { decision: id(1).toUpperCase().replace('0', 'A') },
    { version: null },
    { version: 'v1' },
    { retired: false },
    { retired: true },
    { step: -1 },
    { step: 1.5 },
    { fence: [0, 1] },
    { fence: [1, 0] },
    { fence: [1] },
    { fence: [1, 2, 3] },
    { seen: [id(7), id(6)] },
    { seen: [id(6), id(6)] },
    { seen: [id(1)] },
    { seen: 'x' },
    { odd: {} },
    { odd: [] },
    { _v: 0 },
    { _v: '1' },
  ])
    t.is(code(with_(change)), 'bad-entry', JSON.stringify(change))
  t.is(code(with_({ _v: 2, decision: 7 })), 'newer-format')
  t.is(code(with_({ share: { of: 3 } })), 'newer-format')
  t.is(code(with_({ note: 'x'.repeat(entryLimits.textBytes) })), 'bad-entry')
  t.is(code(with_({ seen: Array.from({ length: 257 }, (_, at) => id(at + 2)) })), 'bad-entry')
  t.throws(() => formatEntry({ ...good, step: -1 }), { instanceOf: RangeError })
  t.true(text.startsWith('{"_v":1,'))
})

test('garbage is never an error', (t) => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (given) => parseEntry(given, nodeHash).ok === false))
  t.is(parseEntry(`${'['.repeat(8_000)}${']'.repeat(8_000)}`, nodeHash).ok, false)
})
