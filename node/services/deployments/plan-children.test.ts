import test from 'ava'
import fc from 'fast-check'
import { canonicalJson } from '../../../base/index.ts'
import type { Effective, ReadEntry } from '../../../crdt/index.ts'
import { matchesGolden } from './golden-text.contract.ts'
import { type Child, type ChildrenQuestion, describeChildWrite, planChildren } from './plan-children.ts'
import {
  agreedOn,
  conflictOf,
  idOf,
  readText,
  recordOf,
  sampleEntry,
  sampleHash,
  sampleRetired,
  sampleVersion,
} from './sample-entries.ts'
import { writeEntries } from './write-entries.ts'

const shop = idOf('shop')
const zone: Child = { scope: '/de/hesse', kind: 'zone', labels: {} }
const small: Child = { scope: '/de/fulda', kind: 'site', labels: { 'system/type': 'edge', size: 'small' } }
const large: Child = { scope: '/de/kassel', kind: 'site', labels: { 'system/type': 'edge', size: 'large' } }
const top: Child = { scope: '/de/hq', kind: 'site', labels: { 'system/type': 'top' } }
const everyone = [zone, small, large, top]

const placements: Readonly<Record<string, string>> = {
  v1: 'system/type = edge',
  v2: 'size = large',
  unreadable: 'size = = large',
  nowhere: '',
}
const versions: ChildrenQuestion['versions'] = (id) => {
  const name = [...Object.keys(placements), 'other'].find((one) => recordOf(one) === id)
  if (name === undefined) return undefined
  const application = name === 'other' ? idOf('till') : shop
  return sampleVersion({ application, placement: placements[name] ?? 'system/type = edge' })
}

type Told = Readonly<Record<string, readonly ReadEntry[]>>
const ask = (above: Effective | undefined, told: Told = {}, fields: Partial<ChildrenQuestion> = {}) => ({
  effective: new Map(above ? [[shop, above]] : []),
  versions,
  children: everyone,
  told: new Map(Object.entries(told).map(([scope, entries]) => [scope, new Map([[shop, entries]])])),
  hash: sampleHash,
  ...fields,
})

const v1 = sampleEntry()
const v2 = sampleEntry({ decision: idOf('d2'), version: recordOf('v2') })
const gone = sampleRetired({ decision: idOf('d3') })
const toldAll = (entry: ReadEntry): Told => ({ [zone.scope]: [entry], [small.scope]: [entry], [large.scope]: [entry] })

const toldLateTo = (...children: readonly Child[]) => new Map(children.map(({ scope }) => [scope, new Set([shop])]))

/** What a site was told when the placement did not select it any more. */
const withdrawn = ({ scope }: Child, above: ReadEntry): ReadEntry => {
  const decision = sampleHash(
    `skerry/withdrawal/1\n${canonicalJson({ child: scope, decision: above.decision, version: above.version })}`,
  ).slice(0, 32)
  return sampleRetired({ decision, seen: [above.decision] })
}

/** As a zone that keeps its names back lets an author above see its sites. */
const hidden: Partial<ChildrenQuestion> = {
  seen: ({ labels }) => ({ 'system/type': labels['system/type'] ?? '' }),
}

const cases: Readonly<Record<string, ChildrenQuestion>> = {
  'a new application goes to zones, and to the sites that match': ask(agreedOn(shop, v1)),
  'what was told is not told again': ask(agreedOn(shop, v1), toldAll(v1)),
  'a new version goes to all, and is withdrawn from a site that no longer matches': ask(
    agreedOn(shop, v2),
    toldAll(v1),
  ),
  'a new step goes to all': ask(agreedOn(shop, sampleEntry({ step: 1 })), toldAll(v1)),
  'retired goes where something was told before': ask(agreedOn(shop, gone), {
    [zone.scope]: [v1],
    [small.scope]: [v1],
  }),
  'retired again is for zones alone': ask(agreedOn(shop, gone), toldAll(sampleRetired({ decision: idOf('d2') }))),
  'retired and never told is nothing to say': ask(agreedOn(shop, gone)),
  'retired and told by what is late now is taken back, where nothing stands': ask(
    agreedOn(shop, gone),
    { [large.scope]: [sampleRetired({ decision: idOf('d3') })] },
    { toldLate: toldLateTo(zone, small, large) },
  ),
  'a site that does not match and was told by what is late now is withdrawn from': ask(
    agreedOn(shop, v2),
    {},
    { toldLate: toldLateTo(small, large) },
  ),
  'absent above changes nothing': ask(undefined, toldAll(v1)),
  'absent above and retired below is nothing to wait for': ask(undefined, toldAll(gone)),
  'a version that is not here changes nothing': ask(
    agreedOn(shop, sampleEntry({ decision: idOf('d9'), version: recordOf('v9') })),
    toldAll(v1),
  ),
  'a version of another application changes nothing': ask(
    agreedOn(shop, sampleEntry({ decision: idOf('d9'), version: recordOf('other') })),
    toldAll(v1),
  ),
  'a placement that cannot be read leaves sites as they are, zones may read it': ask(
    agreedOn(shop, sampleEntry({ decision: idOf('d9'), version: recordOf('unreadable') })),
    toldAll(v1),
  ),
  'an empty placement is nowhere': ask(
    agreedOn(shop, sampleEntry({ decision: idOf('d9'), version: recordOf('nowhere') })),
    { [large.scope]: [v1] },
  ),
  'in a conflict what was handed down stays': ask(conflictOf(shop, v2, v1), toldAll(v1)),
  'in a conflict a site that was withdrawn from is not told the other candidate': ask(conflictOf(shop, v2, v1), {
    [small.scope]: planChildren(ask(agreedOn(shop, v2), { [small.scope]: [v1] }, { children: [small] })).writes.map(
      ({ decision, seen }) => sampleRetired({ decision, seen }),
    ),
  }),
  'in a conflict of what was never handed down the policy chooses': ask(conflictOf(shop, v1, v2)),
  'in a conflict each child keeps the candidate that it was told': ask(conflictOf(shop, v2, v1), {
    [zone.scope]: [v1],
    [large.scope]: [v2],
    [small.scope]: [v1],
  }),
  'a label that its signer may not see matches nothing, one that it may see does': {
    ...ask(agreedOn(shop, v2), {}, hidden),
    effective: new Map([
      [shop, agreedOn(shop, v2)],
      [idOf('till'), agreedOn(idOf('till'), v1)],
    ]),
    versions: (id) => {
      const found = versions(id)
      return found && id === recordOf('v1') ? { ...found, application: idOf('till') } : found
    },
  },
  'what was told by a label that is not seen any more stays until another version comes': ask(
    agreedOn(shop, sampleEntry({ ...v2, step: 3 })),
    toldAll(v2),
    hidden,
  ),
  'another version that matches by unseen labels alone is withdrawn': ask(agreedOn(shop, v2), toldAll(v1), hidden),
  'two concurrent entries of a lane are both replaced': ask(agreedOn(shop, v1), {
    ...toldAll(v1),
    [small.scope]: [v1, v2],
  }),
  'a site that matches again is told the decision that stands': ask(agreedOn(shop, v1), {
    ...toldAll(v1),
    [small.scope]: [withdrawn(small, v1)],
  }),
  'who was told what replaces the decision that stands here keeps it: these lanes are behind': ask(agreedOn(shop, v1), {
    ...toldAll(v1),
    [zone.scope]: [sampleEntry({ decision: idOf('later'), version: recordOf('v2'), seen: [idOf('d1')] })],
    [small.scope]: [sampleRetired({ decision: idOf('later'), seen: [idOf('d1')] })],
  }),
  'a decision that names what was told is handed down, also one that was told before': ask(
    agreedOn(shop, sampleEntry({ seen: [idOf('later')] })),
    toldAll(sampleEntry({ decision: idOf('later'), version: recordOf('v2'), seen: [idOf('d1')] })),
  ),
  'a later decision that knows nothing of what was told is handed down': ask(
    agreedOn(shop, v2),
    toldAll(sampleEntry({ decision: idOf('lost'), seen: [idOf('d1')] })),
  ),
  'where others write too, what they told and is not heard of here is waited for': {
    ...ask(agreedOn(shop, v2), {
      ...toldAll(sampleEntry({ decision: idOf('theirs'), seen: [idOf('d1')] })),
      [large.scope]: [withdrawn(large, v1)],
    }),
    known: new Set([idOf('d1'), idOf('d2')]),
  },
  'and told over once it is known here': {
    ...ask(agreedOn(shop, v2), toldAll(sampleEntry({ decision: idOf('theirs'), seen: [idOf('d1')] }))),
    known: new Set([idOf('theirs'), idOf('d2')]),
  },
}

const describe = (question: ChildrenQuestion) => {
  const { writes, waiting } = planChildren(question)
  const lines = [
    ...writes.map((write) => {
      const seen = write.seen.map((id) => id.slice(0, 8)).join(', ')
      return `${describeChildWrite(write)}${seen === '' ? '' : ` after ${seen}`}`
    }),
    ...waiting.map(({ application, reason, text }) => `wait for ${application.slice(0, 8)}: ${reason}, ${text}`),
  ]
  return lines.length === 0 ? ['nothing'] : lines
}

test('children are told what the table says', (t) => {
  const names = ['d1', 'd2', 'd3', 'd9', 'withdrawn'].map((name) => `${name} ${idOf(name).slice(0, 8)}`)
  const ids = [...names, ...['v1', 'v2', 'unreadable'].map((name) => `${name} ${recordOf(name).slice(0, 8)}`)]
  const text = Object.entries(cases).map(([title, question]) => [`## ${title}`, ...describe(question)].join('\n'))
  matchesGolden(t, 'plan-children.txt', [`# ${ids.join(', ')}`, ...text].join('\n\n'))
})

/** What stands in the lanes of the children once a plan is written. */
const written = (question: ChildrenQuestion): ChildrenQuestion['told'] => {
  const { writes } = planChildren(question)
  return new Map(
    question.children.map(({ scope }) => {
      const before = question.told.get(scope) ?? new Map<string, readonly ReadEntry[]>()
      const own = writes.filter(({ child }) => child === scope)
      const standing = new Map([...before].map(([id, entries]) => [id, entries.map((entry) => ({ entry }))]))
      const edits = writeEntries({ standing, fence: { generation: 1, n: 100 } }, own, 1)
      return [scope, new Map([...before, ...[...edits].map(([id, text]) => [id, [readText(String(text))]] as const)])]
    }),
  )
}

const applications = [shop, idOf('till'), idOf('scale')]
const someEntry = fc
  .record({
    decision: fc.constantFrom('d1', 'd2', 'd3').map(idOf),
    version: fc.constantFrom('v1', 'v2', 'v9', 'unreadable', 'other', null),
    step: fc.nat(2),
    n: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ version, n, ...fields }) =>
    sampleEntry({ ...fields, version: version && recordOf(version), fence: { generation: 1, n } }),
  )
const someAbove = fc.option(
  fc.oneof(
    someEntry.map((entry) => (id: string) => agreedOn(id, entry)),
    fc.tuple(someEntry, someEntry).map((two) => (id: string) => conflictOf(id, ...two)),
  ),
  { nil: undefined },
)
const perApplication = <Value>(arbitrary: fc.Arbitrary<Value>) =>
  fc
    .tuple(...applications.map(() => arbitrary))
    .map((values) => values.map((value, at) => [applications[at]!, value] as const))
const world: fc.Arbitrary<ChildrenQuestion> = fc
  .record({
    effective: perApplication(someAbove),
    told: fc.tuple(...everyone.map(() => perApplication(fc.array(someEntry, { maxLength: 2 })))),
    children: fc.subarray(everyone),
    isHidden: fc.boolean(),
    late: fc.tuple(...everyone.map(() => fc.subarray(applications))),
  })
  .map(({ effective, told, children, isHidden, late }) => ({
    ...(isHidden && hidden),
    effective: new Map(effective.flatMap(([id, above]) => (above ? [[id, above(id)] as const] : []))),
    versions: (id) => {
      const found = versions(id)
      return found && id !== recordOf('other') ? { ...found, application: shop } : found
    },
    children,
    told: new Map(
      everyone.map(({ scope }, at) => [scope, new Map(told[at]?.filter(([, entries]) => entries.length > 0))]),
    ),
    toldLate: new Map(everyone.map(({ scope }, at) => [scope, new Set(late[at])])),
    hash: sampleHash,
  }))

test('safe: nobody is retired but by a word from above or a placement that was read, and only who was told to run', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(world, (question) =>
        planChildren(question).writes.every(({ child, application, version, decision }) => {
          const found = question.effective.get(application)
          if (found === undefined) return false
          const said = found.kind === 'entry' ? [found.entry] : found.candidates.map(({ entry }) => entry)
          const standing = question.told.get(child)?.get(application) ?? []
          const isLate = standing.length === 0 && question.toldLate?.get(child)?.has(application) === true
          if (version !== null) return said.some((one) => one.version === version && one.decision === decision)
          if (said.some((one) => one.retired && one.decision === decision)) return standing.length > 0 || isLate
          return (
            (isLate || standing.some(({ retired }) => !retired)) &&
            said.some((one) => ['v1', 'v2', 'other'].some((name) => one.version === recordOf(name)))
          )
        }),
      ),
    ),
  )
})

test('safe: every write replaces by name all that stands in its lane, and not itself', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(world, (question) =>
        planChildren(question).writes.every(({ child, application, decision, seen }) => {
          const standing = question.told.get(child)?.get(application) ?? []
          return (
            !seen.includes(decision) &&
            standing.every((one) => one.decision === decision || seen.includes(one.decision))
          )
        }),
      ),
    ),
  )
})

test('live: once it is written nothing is left to write', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(world, (question) => planChildren({ ...question, told: written(question) }).writes.length === 0),
    ),
  )
})

test('stable: the order of what is handed in does not matter', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(world, (question) => {
        const turned = {
          ...question,
          effective: new Map([...question.effective].toReversed()),
          children: question.children.toReversed(),
          told: new Map(
            [...question.told].map(([scope, entries]) => [
              scope,
              new Map([...entries].toReversed().map(([id, some]) => [id, some.toReversed()])),
            ]),
          ),
        }
        return describe(turned).join() === describe(question).join()
      }),
    ),
  )
})

test('what a zone hears keeps its decision, what only this scope decided has one of its own', (t) => {
  const [withdrawn] = planChildren(ask(agreedOn(shop, v2), { [small.scope]: [v1] }, { children: [small] })).writes
  t.is(withdrawn?.version, null)
  t.false([idOf('d1'), idOf('d2')].includes(withdrawn?.decision ?? ''))
  t.true(withdrawn?.seen.includes(idOf('d1')))
  const [handed] = planChildren(ask(agreedOn(shop, v2), {}, { children: [zone] })).writes
  t.is(handed?.decision, idOf('d2'))
})

test('what an entry names above is named below, so that it ends a conflict there too', (t) => {
  const settled = sampleEntry({ decision: idOf('d2'), seen: [idOf('local')] })
  const [handed] = planChildren(ask(agreedOn(shop, settled), { [zone.scope]: [v1] }, { children: [zone] })).writes
  t.deepEqual(handed?.seen, [idOf('d1'), idOf('local')].toSorted())
})
