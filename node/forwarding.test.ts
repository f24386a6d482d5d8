import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { parseScopePath, SkerryError } from '../base/index.ts'
import { nodesOf, parseTopology, sliceFor, type Topology, visibleTo, zones } from '../topologies/index.ts'
import { askerOf, closedBorder, createForwarder, type Forwarded } from './forwarding.ts'
import type { LinkAnswer } from './links/index.ts'

const federal = parseTopology(
  readFileSync(new URL('../topologies/examples/federal.yaml', import.meta.url), 'utf8'),
  'federal.yaml',
)
const { signal } = new AbortController()
const nothing = async function* (): AsyncGenerator<Uint8Array> {}

/** Nodes of one tree that hand requests to each other; of those in `gullible` the guard is taken out. */
const openAll = (topology: Topology, gullible: readonly string[] = []) => {
  const acted: string[] = []
  const heard: unknown[] = []
  const all = nodesOf(topology)
  const forwarders = new Map<string, ReturnType<typeof createForwarder>>()
  for (const { name, role, scope } of all) {
    const slice = role === 'edge' ? undefined : sliceFor(topology, scope)
    const nodes = (slice === undefined ? all.filter((one) => one.name === name) : nodesOf(slice)).map((one) => ({
      name: one.name as string,
      role: one.role,
      scope: one.scope as string,
      site: one.site ?? '',
      parents: one.parents,
    }))
    const here = async (call: string) => {
      acted.push(`${call} at ${name}`)
      return { stdout: new Uint8Array(), stderr: new Uint8Array(), exitCode: 0, truncated: false }
    }
    forwarders.set(
      name,
      createForwarder({
        self: name,
        scope,
        nodes: () => nodes,
        reports: () => [],
        heardHere: () => [],
        local: {
          node: () => ({ name }) as never,
          member: () => here('member'),
          settle: () => here('settle'),
          exec: () => here('exec'),
          logs: () => {
            acted.push(`logs at ${name}`)
            return nothing()
          },
        },
        request: async (peer, question): Promise<LinkAnswer> => {
          heard.push(question)
          const answer = await forwarders.get(peer)?.serve(question, signal)
          if (answer === undefined) throw new SkerryError('link-down', peer)
          return { head: answer.head, body: answer.body ?? nothing() } as LinkAnswer
        },
        tree: () => (gullible.includes(name) ? undefined : slice),
      }),
    )
  }
  const asks = async (name: string, call: Forwarded): Promise<string> => {
    try {
      await forwarders.get(name)?.send(call, signal)
      return 'done'
    } catch (error) {
      return error instanceof SkerryError ? `${error.code}: ${error.message}` : String(error)
    }
  }
  return {
    acted,
    heard,
    asks,
    serve: (name: string, question: unknown) => forwarders.get(name)?.serve(question, signal),
  }
}
const exec = (to: string): Forwarded => ({ to, call: 'exec', instance: 'hello.web-1', args: [], timeoutMs: 1 })
const opened = (zone: string): Topology => {
  const text = readFileSync(new URL('../topologies/examples/federal.yaml', import.meta.url), 'utf8')
  const from = text.indexOf(`- name: ${zone}\n`)
  const at = text.indexOf('operations: none', from)
  return parseTopology(
    `${text.slice(0, at)}operations: all${text.slice(at + 'operations: none'.length)}`,
    'federal.yaml',
  )
}

test('a request ends at the first border that does not let its asker in, and acts nowhere', async (t) => {
  const { asks, acted } = openAll(federal)
  t.is(await asks('tower', exec('dresden-1-a')), 'beyond-border: beyond here /de answers')
  t.is(await asks('de-aggregator', exec('kassel-1-a')), 'beyond-border: beyond here /de/hesse answers')
  t.deepEqual(acted, [])
  t.is(await asks('de-aggregator', exec('dresden-1-a')), 'done')
  t.is(await asks('hesse-aggregator', exec('kassel-1-a')), 'done')
  t.deepEqual(acted, ['exec at dresden-1-a', 'exec at kassel-1-a'])
})

test('with the guard of a border taken out the next one still judges by who asked first', async (t) => {
  const { asks, acted } = openAll(federal, ['de-aggregator'])
  t.is(await asks('tower', exec('dresden-1-a')), 'beyond-border: beyond here /de answers')
  t.deepEqual(acted, [])
  t.is(await asks('de-aggregator', exec('dresden-1-a')), 'done', 'what /de asks for itself is let in')
  const none = openAll(federal, ['de-aggregator', 'saxony-aggregator', 'dresden-aggregator'])
  t.is(await none.asks('tower', exec('dresden-1-a')), 'done', 'nobody is left to judge: the guards are what refused')
})

test('who asks is written once and only ever narrows', async (t) => {
  const { asks, heard, serve } = openAll(opened('de'))
  t.is(await asks('tower', exec('dresden-1-a')), 'done')
  t.deepEqual(
    heard.map((one) => (one as Forwarded).from),
    ['/', '/', '/', '/'],
  )
  t.is(askerOf('/', '/de'), '/')
  t.is(askerOf('/de', '/de'), '/de')
  for (const claimed of ['/de/saxony', '/de/saxony/dresden', '/other', 'de', '', 7, null, undefined])
    t.is(askerOf(claimed, '/de'), '/de', `${claimed} is not above the parent`)
  const inner = { ...exec('dresden-1-a'), from: '/de/saxony/dresden' }
  await t.throwsAsync(async () => serve('de-aggregator', { ...inner, to: 'kassel-1-a' }), { code: 'beyond-border' })
})

test('following a log takes its lines out: that is judged as well', async (t) => {
  const { asks } = openAll(federal)
  const logs = (to: string): Forwarded => ({ to, call: 'logs', instance: 'x', tailBytes: 0, follow: false })
  t.is(await asks('frankfurt-aggregator', logs('frankfurt-1-a')), 'done')
  t.is(await asks('hesse-aggregator', logs('frankfurt-1-a')), 'beyond-border: beyond here /de/hesse/frankfurt answers')
  t.is(await asks('hesse-aggregator', exec('frankfurt-1-a')), 'done')
})

test('a border is closed for an operation exactly where the policies on the way say so', (t) => {
  const scopes = zones(federal).map(({ path }) => path)
  fc.assert(
    fc.property(fc.constantFrom(...scopes), fc.constantFrom(...scopes), (from, scope) => {
      if (scope !== from && !scope.startsWith(from === '/' ? '/' : `${from}/`)) return
      const closed = closedBorder(federal, scope, { call: 'exec', from })
      t.is(closed === undefined, visibleTo(federal, scope, from, 'operations') === 'all')
    }),
  )
  t.is(closedBorder(federal, parseScopePath('/nowhere'), { call: 'exec', from: '/' }), '/nowhere')
})
