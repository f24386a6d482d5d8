import test from 'ava'
import fc from 'fast-check'
import { createMemoryDisk } from '../../../crdt/index.ts'
import { call, type SceneNode, siteOf, startNode, startTower, wordOf } from './membership-scene.contract.ts'

const hosts = ['a', 'b'] as const
const keys = ['k1', 'k2', 'k3'] as const
const expected = () => [siteOf('/n1', [...hosts])]

type Step =
  | { readonly kind: 'call'; readonly key: number; readonly withToken: number }
  | { readonly kind: 'token' | 'block' | 'allow'; readonly host: number }
  | { readonly kind: 'claim'; readonly key: number; readonly host: number }
  | { readonly kind: 'restart' | 'block-site' | 'allow-site' }

const key = fc.nat(keys.length - 1)
const host = fc.nat(hosts.length - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('call' as const), key, withToken: fc.integer({ min: -1, max: 5 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('token', 'block', 'allow'), host }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('claim' as const), key, host }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('restart', 'block-site', 'allow-site') }) },
) as fc.Arbitrary<Step>

/** What a step may be refused with. */
const refusals = new Set(['blocked', 'unknown-caller', 'not-enrolled', 'blocked-otherwise'])

const world = async () => {
  const disk = createMemoryDisk()
  let tower = await startTower(expected, { disk })
  let life = 1
  const edges: SceneNode[] = []
  for (const name of keys)
    edges.push(
      await startNode({
        name: '',
        role: 'edge',
        scope: '/n1',
        hostId: `id-${name}`,
        key: name,
        networkId: tower.networkId,
      }),
    )
  const tokens: string[] = []
  const blockedByUs = new Set<string>()
  let isSiteBlocked = false

  const attempt = async (work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work()
      return true
    } catch (error) {
      if (refusals.has((error as { code?: string }).code ?? '')) return false
      throw error
    }
  }

  const apply = async (one: Step): Promise<string | undefined> => {
    const { membership } = tower
    switch (one.kind) {
      case 'call': {
        const edge = edges[one.key]!
        const token = tokens[one.withToken] ?? null
        const { answer } = await call(edge, tower, { token })
        const isBlocked = blockedByUs.has(edge.peerKey) || isSiteBlocked
        if (answer.kind === 'admitted' && isBlocked) return 'a blocked key was admitted'
        if (answer.kind === 'admitted' && membership.keyOf(answer.self.name) !== edge.peerKey)
          return `${answer.self.name} was admitted with a key that is not its own`
        return wordOf(answer) === 'bad-message' ? 'a good hello was not read' : undefined
      }
      case 'token': {
        await attempt(async () => tokens.push((await membership.token(hosts[one.host]!)).token))
        return undefined
      }
      case 'claim': {
        const edge = edges[one.key]!
        const isClaimed = await attempt(() => membership.claim(edge.signer.keyId, hosts[one.host]!))
        return isClaimed && (blockedByUs.has(edge.peerKey) || isSiteBlocked) ? 'a blocked key was claimed' : undefined
      }
      case 'block':
      case 'allow': {
        const peer = membership.keyOf(hosts[one.host]!)
        const isDone = await attempt(() => membership[one.kind as 'block' | 'allow']({ host: hosts[one.host]! }))
        if (isDone && peer !== undefined) blockedByUs[one.kind === 'block' ? 'add' : 'delete'](peer)
        return undefined
      }
      case 'block-site':
      case 'allow-site':
        isSiteBlocked = one.kind === 'block-site'
        await attempt(() => membership[isSiteBlocked ? 'block' : 'allow']({ site: 'n1' }))
        return undefined
      case 'restart':
        await tower.stop()
        life += 1
        tower = await startTower(expected, { disk, seed: life })
        return undefined
    }
  }

  const check = (): string | undefined => {
    const held = hosts.map((name) => tower.membership.keyOf(name)).filter((one) => one !== undefined)
    if (new Set(held).size !== held.length) return 'one key is two hosts'
    const enrolled = tower.membership
      .hosts()
      .filter(({ fingerprint, state }) => state === 'enrolled' && fingerprint !== undefined)
    const names = enrolled.map(({ name }) => name)
    if (new Set(names).size !== names.length) return 'one host has two keys'
    for (const edge of edges) {
      const standing = tower.membership.standingOf(edge.peerKey)
      if (standing !== undefined && !standing.isBlocked && (blockedByUs.has(edge.peerKey) || isSiteBlocked))
        return 'a blocked key stands as if it were not'
    }
    return undefined
  }
  return { apply, check }
}

test('in any order of calls a host has at most one key, and no blocked key is ever admitted', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const { apply, check } = await world()
      for (const one of steps) {
        const problem = (await apply(one)) ?? check()
        if (problem !== undefined) throw new Error(`${problem} after ${JSON.stringify(one)}`)
      }
    }),
    { numRuns: 60 },
  )
  t.pass()
})

test('of calls that come at the same moment with one token one is let in', async (t) => {
  const tower = await startTower(expected)
  const { token } = await tower.membership.token('a')
  const edges = await Promise.all(
    keys.map((name) =>
      startNode({
        name: '',
        role: 'edge',
        scope: '/n1',
        hostId: `id-${name}`,
        key: name,
        networkId: tower.networkId,
        tokens: [token],
      }),
    ),
  )
  const answers = await Promise.all(edges.map((edge) => call(edge, tower)))
  t.deepEqual(answers.map(({ answer }) => wordOf(answer)).toSorted(), ['admitted', 'duplicate', 'duplicate'])
})
