import test from 'ava'
import fc from 'fast-check'
import type { LaneVoice } from '../../../crdt/index.ts'
import { planVersions } from './sign-versions.ts'
import {
  mergeZoneConfig,
  noZoneConfig,
  type Standing,
  type StandingWord,
  seenBy,
  tenantConfigOf,
  withDecided,
  withFreshOrders,
  withOwnChange,
  withoutApplication,
  withoutChanges,
  type ZoneConfig,
} from './zone-config.ts'

const id = (n: number) => n.toString(16).padStart(32, '0')
const long = (n: number) => n.toString(16).padStart(64, '0')
const shop = id(1)
const everywhere = id(2)

interface Word {
  readonly decision: number
  readonly version?: string
  readonly voice?: LaneVoice
  readonly follows?: boolean
  readonly isRetired?: boolean
  readonly application?: number
}

const word = ({
  decision,
  version = '1',
  voice = 'intent',
  follows,
  isRetired = false,
  application = 1,
}: Word): StandingWord => {
  const revision = long(1000 + application * 100 + Number(version.replaceAll(/\D/g, '') || 0))
  const entry = {
    decision: id(decision),
    version: isRetired ? null : long(decision),
    step: 0,
    share: null,
    fence: { generation: 1, n: decision },
    seen: [],
    retired: isRetired,
    hash: long(decision),
    ...(follows && { follows }),
  }
  if (isRetired) return { voice, entry, version: undefined, specification: undefined }
  return {
    voice,
    entry,
    version: {
      kind: 'deployment-version',
      network: long(9),
      tenant: id(9),
      application: id(application),
      deployment: id(application + 1),
      name: `everywhere-${application}`,
      order: decision,
      revision,
      placement: 'system/type = edge',
      secrets: [],
      signer: long(8),
    },
    specification: {
      application: { name: `shop-${application}`, version, services: [] },
      images: [],
    },
  }
}
const standing = (...words: Word[]): ReadonlyMap<string, Standing> => {
  const groups = Map.groupBy(words, ({ application = 1 }) => id(application))
  return new Map([...groups].map(([key, some]) => [key, { words: some.map(word) }]))
}
const versionsOf = ({ applications }: ZoneConfig) =>
  Object.fromEntries(applications.map(({ name, revisions }) => [name, revisions.map(({ version }) => version)]))
const deployedOf = ({ deployments }: ZoneConfig) =>
  Object.fromEntries(deployments.map(({ spec }) => [spec.name, spec['application-version']]))

/** An operator of the zone points the deployment at a version of their own. */
const changeTo = (kept: ZoneConfig, version: string): ZoneConfig => {
  const [application] = kept.applications
  const [deployment] = kept.deployments
  if (application === undefined || deployment === undefined) throw new Error('nothing to change')
  const order = kept.order + 1
  const revision = { version, revision: long(7), changedAtMs: 5 }
  return withOwnChange(kept, {
    applications: new Map([[shop, { ...application, order, revisions: [...application.revisions, revision] }]]),
    deployments: new Map([
      [everywhere, { ...deployment, order, spec: { ...deployment.spec, 'application-version': version } }],
    ]),
    decisions: new Map(),
    removed: new Set(),
    order,
  })
}
const dueOf = (kept: ZoneConfig, held: ReadonlyMap<string, Standing>) =>
  planVersions(
    tenantConfigOf(kept, held),
    (record) => [...held.values()].flatMap(({ words }) => words).find(({ entry }) => entry.version === record)?.version,
  ).map(({ kind, deployment, order }) => `${kind} ${deployment === everywhere ? 'everywhere' : deployment} ${order}`)

test('what was handed down appears as configuration, and what ran before stays as what a rollback goes to', (t) => {
  const first = mergeZoneConfig(noZoneConfig, standing({ decision: 1, version: '1' }))
  t.deepEqual(versionsOf(first), { 'shop-1': ['1'] })
  t.deepEqual(first.deployments[0]?.spec, {
    name: 'everywhere-1',
    application: 'shop-1',
    'application-version': '1',
    placement: { 'all-sites': true },
  })
  const held = standing({ decision: 2, version: '2' })
  const second = mergeZoneConfig(first, held)
  t.deepEqual(versionsOf(second), { 'shop-1': ['1', '2'] })
  t.deepEqual(second.deployments[0]?.history, ['1', '2'])
  t.deepEqual(dueOf(second, held), [])
})

test("an operator's change is due once, and stays while what comes from above does not replace it", (t) => {
  const held = standing({ decision: 3, version: '1' })
  const own = changeTo(mergeZoneConfig(noZoneConfig, held), '1-north')
  t.deepEqual(dueOf(own, held), ['sign everywhere 4'])
  const decided = withDecided(own, [everywhere])
  const conflict = standing({ decision: 5, version: '2' }, { decision: 4, version: '1-north', voice: 'local' })
  const merged = mergeZoneConfig(decided, conflict)
  t.deepEqual(deployedOf(merged), { 'everywhere-1': '1-north' })
  t.deepEqual(versionsOf(merged), { 'shop-1': ['1', '2', '1-north'] }, 'its own stays the newest')
  const over = mergeZoneConfig(merged, standing({ decision: 5, version: '2' }))
  t.deepEqual(deployedOf(over), { 'everywhere-1': '2' })
  t.deepEqual(over.changes, {})
})

test('a change is over once another aggregator of the zone decided after it, or gave up its application', (t) => {
  const own = changeTo(mergeZoneConfig(noZoneConfig, standing({ decision: 3, version: '1' })), '1-north')
  const decided = withDecided(own, [everywhere], new Map([[everywhere, id(4)]]))
  const mine: Word = { decision: 4, version: '1-north', voice: 'local' }
  const theirs: Word = { decision: 6, version: '8-other', voice: 'local' }
  const isOpen = (...words: Word[]) => Object.keys(mergeZoneConfig(decided, standing(...words)).changes).length > 0
  t.true(isOpen(mine))
  t.true(isOpen(mine, theirs), 'as long as it is a candidate')
  t.deepEqual(deployedOf(mergeZoneConfig(decided, standing(theirs))), { 'everywhere-1': '8-other' })
  t.false(isOpen({ decision: 6, voice: 'local', isRetired: true }))
})

test('what said nothing new is said by the decision that stands', (t) => {
  const held = standing({ decision: 3, version: '1', voice: 'local' })
  const decided = withDecided(changeTo(mergeZoneConfig(noZoneConfig, held), '1'), [everywhere], new Map(), held)
  t.is(decided.changes[everywhere]?.decision, id(3))
})

test('a number is used once also where another deployment stands for the application meanwhile', (t) => {
  const kept = { ...noZoneConfig, signed: { [everywhere]: 7 } }
  const step = { deployment: everywhere, application: shop, order: 1 }
  const sign = { ...step, kind: 'sign', name: 'everywhere-1', revision: long(7), placement: '' } as const
  t.deepEqual(
    withFreshOrders(kept, [{ ...step, kind: 'retire' }, sign, { ...sign, order: 12 }]).map(({ order }) => order),
    [7, 8, 12],
  )
})

test('a change that is not decided yet is not given up for a word from above', (t) => {
  const own = changeTo(mergeZoneConfig(noZoneConfig, standing({ decision: 1 })), '1-north')
  const held = standing({ decision: 2, version: '2' })
  const merged = mergeZoneConfig(own, held)
  t.deepEqual(deployedOf(merged), { 'everywhere-1': '1-north' })
  t.deepEqual(dueOf(merged, held), ['sign everywhere 3'])
})

test('who settles for the word from above follows it, and no number of a version is used twice', (t) => {
  const held = standing({ decision: 1, version: '1' })
  const own = {
    ...withDecided(changeTo(mergeZoneConfig(noZoneConfig, held), '1-north'), [everywhere]),
    signed: { [everywhere]: 40 },
  }
  const followed = standing({ decision: 5, version: '2' }, { decision: 5, version: '2', voice: 'local', follows: true })
  const merged = mergeZoneConfig(withoutChanges(own, shop), followed)
  t.deepEqual(deployedOf(merged), { 'everywhere-1': '2' })
  t.deepEqual(dueOf(changeTo(merged, '3-north'), followed), ['sign everywhere 41'])
})

test('a deployment that operators removed is retired once, and does not come back while their word stands', (t) => {
  const held = standing({ decision: 1, version: '1' })
  const kept = mergeZoneConfig(noZoneConfig, held)
  const removed = withOwnChange(kept, {
    applications: new Map(),
    deployments: new Map(),
    decisions: new Map(),
    removed: new Set([everywhere]),
    order: kept.order + 1,
  })
  t.deepEqual(dueOf(removed, held), ['retire everywhere 1'])
  const retired = standing({ decision: 2, voice: 'local', isRetired: true })
  const merged = mergeZoneConfig(withDecided(removed, [everywhere]), retired)
  t.deepEqual(deployedOf(merged), {})
  t.deepEqual(dueOf(merged, retired), [])
})

test('a decision names all that stands and all that this replaced', (t) => {
  const [conflict] = standing({ decision: 1 }, { decision: 2, voice: 'local' }).values()
  t.deepEqual(seenBy(conflict), [id(1), id(2)])
  t.deepEqual(seenBy(undefined), [])
})

const words: fc.Arbitrary<Word> = fc.record({
  decision: fc.integer({ min: 1, max: 9 }),
  version: fc.constantFrom('1', '2', '3-north'),
  voice: fc.constantFrom<LaneVoice>('intent', 'local'),
  follows: fc.boolean(),
  isRetired: fc.boolean(),
  application: fc.integer({ min: 1, max: 3 }),
})
const lanes = fc.array(words, { minLength: 1, maxLength: 6 })

test('merging what is merged already changes nothing, and the order of applications does not matter', (t) => {
  fc.assert(
    fc.property(fc.array(lanes, { maxLength: 4 }), lanes, (before, last) => {
      const kept = before.reduce((config, one) => mergeZoneConfig(config, standing(...one)), noZoneConfig)
      const held = standing(...last)
      const once = mergeZoneConfig(kept, held)
      const reversed = mergeZoneConfig(kept, new Map([...held].toReversed()))
      return (
        JSON.stringify(mergeZoneConfig(once, held)) === JSON.stringify(once) &&
        JSON.stringify(reversed.deployments) === JSON.stringify(once.deployments)
      )
    }),
  )
  t.pass()
})

test('what was handed down alone never asks for a signature of the zone', (t) => {
  fc.assert(
    fc.property(fc.array(lanes, { maxLength: 4 }), (all) => {
      const kept = all.reduce((config, one) => mergeZoneConfig(config, standing(...one)), noZoneConfig)
      return Object.keys(kept.changes).length === 0
    }),
  )
  t.pass()
})

test('of two applications of one name the one the zone made is shown, and after it gave way the other', (t) => {
  const named = (found: ReadonlyMap<string, Standing>): ReadonlyMap<string, Standing> =>
    new Map(
      [...found].map(([key, { words }]) => [
        key,
        {
          words: words.map((one) => ({
            ...one,
            specification: one.specification && {
              ...one.specification,
              application: { ...one.specification.application, name: 'shop' },
            },
          })),
        },
      ]),
    )
  const apart = named(
    standing({ decision: 1, version: '1' }, { decision: 2, version: '7', voice: 'local', application: 5 }),
  )
  const merged = mergeZoneConfig(noZoneConfig, apart)
  t.deepEqual(
    merged.applications.map((one) => one.id),
    [id(5)],
  )
  t.is(mergeZoneConfig(merged, apart).order, merged.order)
  const over = named(
    standing({ decision: 1, version: '1' }, { decision: 3, isRetired: true, voice: 'local', application: 5 }),
  )
  t.deepEqual(
    mergeZoneConfig(merged, over).applications.map((one) => one.id),
    [shop],
  )
  const gone = withoutApplication({ ...merged, written: [id(5)] }, id(5))
  t.deepEqual([gone.applications, gone.written], [[], []])
})

test('what is brought up to its lanes twice is what it was after once: reading changes nothing', (t) => {
  const words = fc.record({
    decision: fc.integer({ min: 1, max: 9 }),
    version: fc.constantFrom('1', '2'),
    voice: fc.constantFrom<LaneVoice>('local', 'intent'),
    follows: fc.boolean(),
    isRetired: fc.boolean(),
    application: fc.constantFrom(1, 5, 9),
  })
  const lanes = fc.array(words, { maxLength: 6 })
  const changes = fc.dictionary(
    fc.constantFrom(id(2), id(6)),
    fc.record({ application: fc.constantFrom(id(1), id(5)), isDecided: fc.boolean() }),
  )
  fc.assert(
    fc.property(lanes, lanes, changes, (before, now, own) => {
      const first = { ...mergeZoneConfig(noZoneConfig, standing(...before)), changes: own, written: [id(1)] }
      const once = mergeZoneConfig(first, standing(...now))
      t.deepEqual(mergeZoneConfig(once, standing(...now)), once)
    }),
    { seed: 1, numRuns: 500 },
  )
})
