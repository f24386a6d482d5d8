import test from 'ava'
import fc from 'fast-check'
import { parseScopePath } from '../../../base/index.ts'
import {
  acceptedKey,
  createNodeSignatures,
  type DeploymentVersion,
  delegationKind,
  deploymentVersionKind,
  keysOf,
  nodeHash,
  nothingBlocked,
  type Owner,
  type StartContext,
  sealRecord,
  toHex,
} from '../../../crdt/index.ts'
import { judgeStarts, type StartCandidate } from './judge-starts.ts'
import { idOf, recordOf, sampleEntry, sampleRetired, sampleVersion } from './sample-entries.ts'

const powers = { signatures: createNodeSignatures(), hash: nodeHash }
const keyOf = (name: string) => powers.signatures.signer(nodeHash.sha256(Buffer.from(name)))
const publicKey = (name: string) => toHex(keyOf(name).publicKey)
const networkId = recordOf('network')
const tenantId = idOf('tenant')
const fulda = parseScopePath('/de/fulda')
const shop = idOf('shop')

const owner = (id: string, role: Owner['role'], scope: string, key: string): Owner => ({
  id,
  role,
  scope,
  succession: 'granted',
  generation: 1,
  list: recordOf(`list of ${id}`),
  isCountersigned: true,
  keys: keysOf([publicKey(key)], nodeHash),
  threshold: 1,
})
const version = (fields: Partial<DeploymentVersion> = {}, by = 'tenant') => {
  const { kind: _, ...body } = sampleVersion({
    network: networkId,
    tenant: tenantId,
    signer: keyOf(by).keyId,
    ...fields,
  })
  return sealRecord(deploymentVersionKind, body, [keyOf(by)], powers)
}
const delegation = (to: string, scope: string) =>
  sealRecord(
    delegationKind,
    { network: networkId, tenant: tenantId, generation: 1, key: publicKey(to), scope, number: 1, isGranted: true },
    [keyOf('tenant')],
    powers,
  )
const candidate = (record = version(), fields: Partial<StartCandidate> = {}): StartCandidate => ({
  application: record.body.application,
  name: 'shop',
  entry: sampleEntry({ version: record.id }),
  when: {
    lane: { kind: 'intent', scope: fulda, tenant: tenantId, owner: parseScopePath('/de') },
    author: keyOf('de').keyId,
    owner: owner(idOf('/de'), 'zone', '/de', 'de'),
  },
  version: record,
  tenant: owner(tenantId, 'tenant', '/', 'tenant'),
  delegations: [],
  ...fields,
})
const context: StartContext = { networkId, site: fulda, blocked: nothingBlocked, accepted: new Map() }
const judge = (candidates: readonly StartCandidate[], accepted: StartContext['accepted'] = new Map()) =>
  judgeStarts(candidates, { ...context, accepted }, powers)
const codes = (...candidates: readonly StartCandidate[]) => judge(candidates).refusals.map(({ code }) => code)

test('what the tenant signed and the parent asks for starts, and its order is to be remembered', (t) => {
  const one = candidate()
  const { entries, refusals, accepted } = judge([one])
  t.deepEqual([...entries.keys()], [shop])
  t.deepEqual(refusals, [])
  t.deepEqual([...accepted], [[acceptedKey(version().body), { order: 1, id: version().id }]])
})

test('an invention of the parent does not start, and is told by name with its words', (t) => {
  const { entries, refusals, accepted } = judge([candidate(version({}, 'de'))])
  t.is(entries.size, 0)
  t.is(accepted.size, 0)
  t.deepEqual(refusals, [
    {
      application: 'shop',
      code: 'not-entitled',
      message: 'the signer of the deployment version has no delegation of the tenant',
      version: version({}, 'de').id,
    },
  ])
})

test('a delegated key signs for sites of its scope alone', (t) => {
  const by = (scope: string) => candidate(version({}, 'de'), { delegations: [delegation('de', scope)] })
  t.deepEqual(codes(by('/de')), [])
  t.deepEqual(codes(by('/fr')), ['out-of-scope'])
})

test('a lower order than was accepted is refused, a rollback has a higher one', (t) => {
  const newer = version({ order: 5, revision: recordOf('new') })
  const { accepted } = judge([candidate(newer)])
  t.deepEqual(
    judge([candidate(version({ order: 4 }))], accepted).refusals.map(({ code }) => code),
    ['stale'],
  )
  const back = judge([candidate(version({ order: 6 }))], accepted)
  t.deepEqual(back.refusals, [])
  t.is([...back.accepted.values()][0]?.order, 6)
})

test('a version of another application does not start under this one', (t) => {
  t.deepEqual(codes(candidate(version({ application: idOf('till') }), { application: shop })), ['wrong-version'])
})

test('an entry that is not the parent’s does not start anything', (t) => {
  const { when } = candidate()
  t.deepEqual(codes(candidate(version(), { when: { ...when, author: keyOf('fr').keyId } })), ['not-entitled'])
})

test('what stops and what is not here yet is passed on, for it starts nothing', (t) => {
  const stop = candidate(version(), { entry: sampleRetired(), tenant: undefined })
  const later = candidate(version(), { application: idOf('till'), version: undefined, tenant: undefined })
  const { entries, refusals } = judge([stop, later])
  t.deepEqual([...entries.keys()].toSorted(), [shop, idOf('till')].toSorted())
  t.deepEqual(refusals, [])
})

test('an application nobody knows the name of is told by its id', (t) => {
  t.is(judge([candidate(version({}, 'de'), { name: undefined })]).refusals[0]?.application, shop)
})

test('the order of candidates does not matter', (t) => {
  const all = [
    candidate(version({ order: 2 })),
    candidate(version({ application: idOf('till'), deployment: idOf('till-all') }), { name: 'till' }),
    candidate(version({ application: idOf('x'), deployment: idOf('x') }, 'de'), { name: 'x' }),
    candidate(version({ application: idOf('y'), deployment: idOf('shop-all'), order: 2 }), { name: 'y' }),
  ]
  const expected = judge(all)
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (turned) => {
        const { entries, refusals } = judge(turned)
        return (
          JSON.stringify(refusals) === JSON.stringify(expected.refusals) &&
          [...entries.keys()].toSorted().join() === [...expected.entries.keys()].toSorted().join()
        )
      }),
    ),
  )
})
