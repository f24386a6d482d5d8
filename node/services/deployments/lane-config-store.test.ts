import { createHash } from 'node:crypto'
import test from 'ava'
import { createNodeSignatures, type LaneValue } from '../../../crdt/index.ts'
import { configIds } from './config-ids.ts'
import { configStoreContract, contractSalt, namedRevision } from './config-store.contract.ts'
import { type ConfigLane, createLaneConfigStore, type ToldCache } from './lane-config-store.ts'
import { sampleApplication, sampleDeployment } from './sample-config.ts'
import { idOf, recordOf, sampleHash } from './sample-entries.ts'
import { pickConfigValues } from './tenant-config.ts'

const signerOf = (seed: number) => createNodeSignatures().signer(new Uint8Array(32).fill(seed))

/** A disk with a lane, blobs and a file; a store opened on it is one life of a tower. */
const createDisk = () => {
  const lane = new Map<string, LaneValue>()
  const blobs = new Map<string, Uint8Array>()
  const saves: (readonly string[])[] = []
  const disk = { full: false, isFileFull: false, told: undefined as ToldCache | undefined }
  const port: ConfigLane = {
    load: async () => new Map(lane),
    save: async (edits) => {
      await Promise.resolve()
      if (disk.full) throw new Error('disk full')
      saves.push([...edits.keys()])
      for (const [key, value] of edits) lane.set(key, value)
    },
  }
  const open = async (seed = 1, onChange?: () => void) => {
    const store = createLaneConfigStore({
      lane: port,
      blobs: {
        put: async (bytes) => {
          const digest = createHash('sha256').update(bytes).digest('hex')
          blobs.set(digest, bytes)
          return `sha256:${digest}`
        },
        get: async (revision) => blobs.get(revision),
      },
      told: {
        load: () => disk.told,
        save: (value) => {
          if (disk.isFileFull) throw new Error('disk full')
          disk.told = structuredClone(value)
        },
      },
      newId: configIds(signerOf(seed), sampleHash),
      hash: sampleHash,
      salt: contractSalt,
      ...(onChange && { onChange }),
    })
    await store.open()
    return store
  }
  return { lane, blobs, saves, disk, open }
}

configStoreContract(test, 'lane', async () => createDisk().open())

const application = (version: string) => namedRevision(sampleApplication({ version }))

test('what a store wrote another life reads, ids and what sites were told included', async (t) => {
  const disk = createDisk()
  const store = await disk.open()
  await store.putApplication(application('1'))
  await store.putDeployment(sampleDeployment(), 5)
  await store.putApplication(application('2'))
  await store.putIntents([
    { site: 'n1', application: 'shop', deployment: 'shop-all', version: '2', revision: 'r', phase: 'run' },
  ])
  const again = await disk.open(2)
  t.deepEqual(again.state(), store.state())
  t.deepEqual(again.config(), store.config())
  const [[id, held] = ['', undefined]] = again.config().applications
  t.regex(id, /^[0-9a-f]{32}$/)
  t.deepEqual(
    held?.revisions.map(({ version }) => version),
    ['1', '2'],
  )
})

test('what is put again into a restored store has the ids it had; what was removed comes back as another', async (t) => {
  const put = async (seed: number) => {
    const store = await createDisk().open(seed)
    const ids = async () => {
      await store.putApplication(application('1'))
      await store.putDeployment(sampleDeployment(), 5)
      const { applications, deployments } = store.config()
      return [...applications.keys(), ...deployments.keys()]
    }
    const first = await ids()
    await store.removeDeployment('shop-all')
    await store.removeApplication('shop')
    return [...first, ...(await ids())]
  }
  const before = await put(1)
  t.is(new Set(before).size, 4)
  t.deepEqual(await put(1), before)
  t.is(new Set([...before, ...(await put(2))]).size, 8, 'another key names them otherwise')
})

test('one change is one write, whatever it touches, and what sites were told is none', async (t) => {
  const { open, saves } = createDisk()
  const store = await open()
  await store.putApplication(application('1'))
  await store.putDeployment(sampleDeployment(), 5)
  await store.putApplication(application('1'))
  t.is(saves.length, 2)
  await store.putApplication(application('2'))
  t.deepEqual(
    saves[2]?.map((key) => key.split('/')[0]),
    ['application', 'deployment'],
  )
  await store.putIntents([
    { site: 'n1', application: 'shop', deployment: 'shop-all', version: '2', revision: 'r', phase: 'run' },
  ])
  t.is(saves.length, 3)
})

test('who listens sees a change when it counts, and none that was refused', async (t) => {
  const { open, disk } = createDisk()
  const seen: number[] = []
  const store = await open(1, () => seen.push(store.config().deployments.size + store.config().decisions.size))
  await store.putApplication(application('1'))
  await store.putDeployment(sampleDeployment(), 5)
  await store.putDecisions([decision])
  disk.full = true
  await t.throwsAsync(store.removeDeployment('shop-all'))
  await t.throwsAsync(store.removeDeployment('nothing'))
  t.deepEqual(seen, [0, 1, 2])
})

test('a change that cannot be written never happened', async (t) => {
  const { open, disk, lane } = createDisk()
  const store = await open()
  await store.putApplication(application('1'))
  const before = [structuredClone(store.state()), store.config(), new Map(lane)]
  disk.full = true
  await t.throwsAsync(store.putDeployment(sampleDeployment(), 5), { message: 'disk full' })
  await t.throwsAsync(store.putApplication(application('2')), { message: 'disk full' })
  await t.throwsAsync(store.removeApplication('shop'), { message: 'disk full' })
  await t.throwsAsync(store.putDecisions([decision]), { message: 'disk full' })
  t.deepEqual([store.state(), store.config(), new Map(lane)], before)
  disk.full = false
  t.is((await store.putDeployment(sampleDeployment(), 5)).outcome, 'created')
})

test('a specification is kept before the lane names it', async (t) => {
  const { open, disk, blobs } = createDisk()
  const store = await open()
  disk.full = true
  await t.throwsAsync(store.putApplication(application('1')))
  t.true(blobs.has(application('1').revision))
  const wrong = { ...application('1'), revision: 'ab'.repeat(32) }
  disk.full = false
  await t.throwsAsync(store.putApplication(wrong), { instanceOf: RangeError })
  t.deepEqual(await store.listApplications(), [])
})

test('an id is for life: a removed object leaves a mark, and the name comes back under another id', async (t) => {
  const { open, lane } = createDisk()
  const store = await open()
  const idsOf = (kind: 'applications' | 'deployments') => [...store.config()[kind].keys()]
  await store.putApplication(application('1'))
  await store.putDeployment(sampleDeployment(), 5)
  const [first] = idsOf('deployments')
  await store.putDeployment(sampleDeployment({ placement: { 'match-site-labels': 'size = large' } }), 6)
  t.deepEqual(idsOf('deployments'), [first])
  await store.removeDeployment('shop-all')
  t.true(store.config().removed.has(first ?? ''))
  t.regex(String(lane.get(`deployment/${first}`)), /"removed":true/)
  const { order } = store.state()
  await store.putDeployment(sampleDeployment(), 7)
  t.not(idsOf('deployments')[0], first)
  const again = await open()
  t.true(again.state().order > order)
  t.deepEqual(again.config(), store.config())
})

test('a deployment that goes to another application is another deployment', async (t) => {
  const { open } = createDisk()
  const store = await open()
  await store.putApplication(application('1'))
  await store.putApplication(namedRevision(sampleApplication({ name: 'till' })))
  await store.putDeployment(sampleDeployment(), 5)
  const [first] = store.config().deployments.keys()
  await store.putDeployment(sampleDeployment({ application: 'till' }), 6)
  t.true(store.config().removed.has(first ?? ''))
  t.deepEqual(
    [...store.config().deployments.values()].map(({ spec }) => spec.application),
    ['till'],
  )
})

const decision = {
  deployment: idOf('shop-all'),
  application: idOf('shop'),
  decision: idOf('d1'),
  version: recordOf('v1'),
  order: 1,
  seen: [idOf('d0')],
}

test('decisions stand beside, and a later one of a deployment takes the place of the earlier', async (t) => {
  const { open } = createDisk()
  const store = await open()
  await store.putDecisions([decision, { ...decision, deployment: idOf('till-all'), seen: [] }])
  await store.putDecisions([{ ...decision, decision: idOf('d2'), version: null }])
  const again = (await open()).config()
  t.deepEqual(again, store.config())
  t.like(again.decisions.get(decision.deployment), { decision: idOf('d2'), version: null })
  t.is(again.decisions.size, 2)
})

test('a newer format, a value out of form and a specification that is gone are told in words', async (t) => {
  const { open, lane, blobs } = createDisk()
  const store = await open()
  await store.putApplication(application('1'))
  const kept = new Map(lane)
  const opening = async (key: string, value: string, code: string) => {
    lane.set(key, value)
    const error = await t.throwsAsync(open(), { code })
    lane.clear()
    for (const [name, text] of kept) lane.set(name, text)
    return error?.message ?? ''
  }
  const key = `application/${idOf('x')}`
  t.regex(await opening(key, '{"_v":2}', 'newer-format'), /format 2 at application\/.*run a later release/)
  await opening(key, '{"_v":1}', 'bad-config')
  await opening(key, 'no JSON', 'bad-config')
  await opening('application/shop', '{}', 'bad-config')
  lane.set('policy/later', 'is passed over')
  await t.notThrowsAsync(open())
  blobs.clear()
  const without = await open()
  t.deepEqual(without.lost(), [{ application: 'shop', version: '1', why: 'its specification is not held' }])
  t.deepEqual(await without.listApplications(), [])
})

test('of concurrent values every reader takes the same', (t) => {
  const [one, two] = ['{"_v":1,"order":9}', '{"_v":1,"order":10}']
  const pick = (...values: readonly string[]) =>
    pickConfigValues(new Map([['a', values.map((value) => ({ value }))]])).get('a')
  t.is(pick(one, two), two)
  t.is(pick(two, one), two)
  t.is(pick('{"_v":1,"order":9,"x":1}', one), pick(one, '{"_v":1,"order":9,"x":1}'))
  t.is(pick('no JSON', one), one)
})

test('what sites were told is kept with the next change where the disk had no room: what led to it counts all the same', async (t) => {
  const { disk, open } = createDisk()
  const store = await open()
  await store.putApplication(application('1'))
  await store.putDeployment(sampleDeployment(), 5)
  const told = (site: string) => ({
    site,
    application: 'shop',
    deployment: 'shop-all',
    version: '1',
    revision: 'r',
    phase: 'run' as const,
  })
  disk.isFileFull = true
  await store.putIntents([told('n1')])
  t.is(disk.told, undefined)
  t.deepEqual(
    (await store.listIntents()).map(({ site }) => site),
    ['n1'],
  )
  disk.isFileFull = false
  await store.putIntents([told('n2')])
  t.deepEqual(
    disk.told?.intents.map(({ site }) => site),
    ['n1', 'n2'],
  )
})
