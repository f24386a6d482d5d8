import test from 'ava'
import fc from 'fast-check'
import { nodeHash } from '../authority/index.ts'
import {
  type Conflict,
  defaultLanePolicy,
  type Entry,
  effective,
  formatEntry,
  type LaneView,
  type NameOf,
  outcomes,
  parseEntry,
  type ReadEntry,
  takingEntries,
} from './index.ts'

const id = (n: number) => n.toString(16).padStart(32, '0')
const read = (entry: Entry): ReadEntry => {
  const result = parseEntry(formatEntry(entry), nodeHash)
  if (!result.ok) throw new Error(result.refusal.message)
  return result.entry
}
/** The version says whose it is: its digits are the application's. */
const versionOf = (application: string, n: number) => `${application}${id(n)}`
const word = (application: string, decision: number, seen: readonly number[] = [], isRetired = false): ReadEntry =>
  read({
    decision: id(decision),
    version: isRetired ? null : versionOf(application, decision),
    step: 0,
    share: null,
    fence: { generation: 1, n: decision },
    seen: seen.map(id),
    retired: isRetired,
  })
/** Applications 1 to 3 are called shop, 4 is the bakery. */
const nameOf: NameOf = (application) => (application === id(4) ? 'bakery' : 'shop')
const lane = (voice: LaneView['voice'], entries: Readonly<Record<number, readonly ReadEntry[]>>): LaneView => ({
  lane: voice === 'local' ? 'local/north/t' : 'intent/north/t/root',
  voice,
  entries: new Map(Object.entries(entries).map(([n, standing]) => [id(Number(n)), standing])),
})
const [shopAbove, shopHere, bakery] = [id(1), id(2), id(4)]
const foldedOf = (lanes: readonly LaneView[], policy = defaultLanePolicy) => effective(lanes, policy, nameOf)
/** What is to run: ids, or `a|b` where they are in conflict. */
const runningIn = (found: ReturnType<typeof effective>) =>
  [...found.values()].flatMap((state) => {
    if (state.kind === 'entry') return state.entry.retired ? [] : [state.application]
    if (state.candidates.every(({ entry }) => entry.retired)) return []
    return [[...new Set(state.candidates.map((one) => one.application ?? state.application))].toSorted().join('|')]
  })

test('two of one name that do not know each other are a conflict of both, and others are left alone', (t) => {
  const lanes = [
    lane('intent', { 1: [word(shopAbove, 1)], 4: [word(bakery, 4)] }),
    lane('local', { 2: [word(shopHere, 2)] }),
  ]
  t.deepEqual(runningIn(foldedOf(lanes)), [`${shopAbove}|${shopHere}`, `${shopAbove}|${shopHere}`, bakery])
  t.deepEqual(
    outcomes(lanes, foldedOf(lanes), (decision) => decision).map(({ outcome, by }) => [outcome, by]),
    [
      ['conflict', [id(2)]],
      ['accepted', []],
    ],
  )
  t.deepEqual(runningIn(effective(lanes, defaultLanePolicy)), [shopAbove, shopHere, bakery], 'without names')
  t.deepEqual(runningIn(foldedOf([lane('intent', { 1: [word(shopAbove, 1)], 2: [word(shopHere, 2)] })])), [
    shopAbove,
    shopHere,
  ])
})

test('one that names the decision of the other stops it, and so does the word that ends it', (t) => {
  const above = lane('intent', { 1: [word(shopAbove, 1)] })
  const own = [above, lane('local', { 2: [word(shopHere, 2, [1])] })]
  t.deepEqual(runningIn(foldedOf(own)), [shopHere])
  t.deepEqual(outcomes(own, foldedOf(own), String)[0], {
    application: shopAbove,
    decision: id(1),
    outcome: 'overridden',
    by: [id(2)],
  })
  t.deepEqual(runningIn(foldedOf([above, lane('local', { 2: [word(shopHere, 3, [1, 2], true)] })])), [])
  t.deepEqual(
    runningIn(
      foldedOf([lane('intent', { 1: [word(shopAbove, 5, [1])] }), lane('local', { 2: [word(shopHere, 2, [1])] })]),
    ),
    [`${shopAbove}|${shopHere}`, `${shopAbove}|${shopHere}`],
    'a new word from above does not know it',
  )
})

test('a word from above that names one of the zone stops it only where those above may settle', (t) => {
  const lanes = [lane('intent', { 1: [word(shopAbove, 3, [1, 2])] }), lane('local', { 2: [word(shopHere, 2)] })]
  t.is(runningIn(foldedOf(lanes)).length, 2)
  t.deepEqual(runningIn(foldedOf(lanes, { ...defaultLanePolicy, settle: 'ancestor' })), [shopAbove])
})

test('whatever stands, the order is of no matter, and taking any candidate leaves it alone of its name', (t) => {
  const words = fc.record({
    application: fc.integer({ min: 1, max: 4 }),
    voice: fc.constantFrom<LaneView['voice']>('local', 'intent'),
    decision: fc.integer({ min: 1, max: 6 }),
    seen: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 2 }),
    isRetired: fc.boolean(),
  })
  const lanesOf = (all: readonly (typeof words extends fc.Arbitrary<infer One> ? One : never)[]) =>
    (['intent', 'local'] as const).map((voice) => {
      const own = all.filter((one) => one.voice === voice)
      // One word for each application in a lane, as after its writer wrote it.
      const last = new Map(own.map((one) => [one.application, one]))
      return lane(
        voice,
        Object.fromEntries(
          [...last].map(([n, { decision, seen, isRetired }]) => [
            n,
            [
              word(
                id(n),
                n * 10 + decision,
                // Who is above knows one of a name: it names what it decided of that itself.
                seen.map((one) => one + (voice === 'intent' ? n * 10 : 10)).filter((one) => one !== n * 10 + decision),
                isRetired,
              ),
            ],
          ]),
        ),
      )
    })
  let settled = 0
  fc.assert(
    fc.property(fc.array(words, { maxLength: 6 }), fc.nat(), (all, at) => {
      const lanes = lanesOf(all)
      const found = foldedOf(lanes)
      t.deepEqual([...foldedOf(lanes.toReversed())], [...found])
      const conflicts = [...found.values()].filter(
        (one): one is Conflict =>
          one.kind === 'conflict' && one.candidates.some((two) => two.application !== undefined),
      )
      const conflict = conflicts[at % Math.max(1, conflicts.length)]
      const running = conflict?.candidates.filter(({ entry }) => !entry.retired) ?? []
      const taken = running[at % Math.max(1, running.length)]
      if (conflict === undefined || taken === undefined) return
      settled += 1
      const entries = takingEntries(conflict, taken, { generation: 1, n: 100 })
      const after = foldedOf(
        lanes.map((one) =>
          one.voice === 'local'
            ? {
                ...one,
                entries: new Map([
                  ...one.entries,
                  ...[...entries].map(([key, entry]) => [key, [read(entry)]] as const),
                ]),
              }
            : one,
        ),
      )
      const shops = runningIn(after).filter((one) => one !== bakery)
      t.deepEqual(shops, [taken.application ?? conflict.application])
    }),
    { seed: 3, numRuns: 2_000 },
  )
  t.true(settled > 100, String(settled))
})
