import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { nodeHash } from '../../../crdt/index.ts'
import { type JoinAnswer, type JoinHello, readAnswer, readHello } from './join-messages.ts'
import { formatToken, isSameHash, parseToken, tokenHash } from './join-token.ts'
import {
  decodeRecord,
  encodeRecord,
  type MemberRecord,
  type ScopeRecord,
  type SelfRecord,
  type TokenRecord,
} from './member-records.ts'

/** What is kept for good under fixtures/: written only where it is not there yet. */
const fixture = (name: string, make: () => string): string => {
  const path = new URL(`fixtures/${name}`, import.meta.url)
  if (!existsSync(path)) writeFileSync(path, make())
  return readFileSync(path, 'utf8')
}
const asText = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`

const [hash, key, id] = ['0a'.repeat(32), '0b'.repeat(32), '0c'.repeat(16)]
const token = { issuer: '0d'.repeat(16), host: 'n1-a', secret: '0e'.repeat(16) }

const hello: JoinHello = {
  v: 1,
  network: hash,
  name: 'n1-a',
  hostId: 'VMware-56 4d 0f',
  role: 'edge',
  scope: '/north/n1',
  token: formatToken(token),
  certificate: '0102',
  session: 7,
}
const answers: readonly JoinAnswer[] = [
  {
    v: 1,
    kind: 'admitted',
    network: hash,
    session: 8,
    self: { name: 'n1-a', role: 'edge', scope: '/north/n1', site: id },
    parent: { name: 'north-aggregator', scope: '/north' },
    certificate: '0102',
    parentCertificate: '0304',
    records: ['0506', '0708'],
  },
  { v: 1, kind: 'waiting', fingerprint: hash, message: 'an operator at north-aggregator has to claim this host' },
  { v: 1, kind: 'refused', code: 'blocked', message: 'n1-a is blocked' },
]

test('the hello of format 1 reads', (t) => {
  const read = readHello(JSON.parse(fixture('join-hello.1.json', () => asText(hello))))
  t.deepEqual(read, { ok: true, message: hello })
})

test('a hello of format 1 may show the first list of its zone', (t) => {
  const shown: JoinHello = { ...hello, name: 'south-agg', role: 'aggregator', scope: '/south', authority: '0a0b' }
  const read = readHello(JSON.parse(fixture('join-hello-authority.1.json', () => asText(shown))))
  t.deepEqual(read, { ok: true, message: shown })
})

test('the answers of format 1 read', (t) => {
  const read = (JSON.parse(fixture('join-answers.1.json', () => asText(answers))) as unknown[]).map(readAnswer)
  t.deepEqual(
    read,
    answers.map((message) => ({ ok: true, message })),
  )
})

const kept = {
  host: {
    host: 'n1-a',
    scope: '/north/n1',
    role: 'edge',
    key,
    hostId: 'VMware-56 4d 0f',
    client: 3,
    certificate: 2,
    session: 8,
    past: [{ scope: '/north/n2', client: 1 }],
  } satisfies MemberRecord,
  scope: { scope: '/north/n1', kind: 'site', id, nextClient: 4, written: hash, grantedBy: null } satisfies ScopeRecord,
  token: { host: 'n1-a', hash, usedBy: null } satisfies TokenRecord,
  self: {
    name: 'n1-a',
    session: 8,
    site: id,
    parent: { name: 'north-aggregator', scope: '/north' },
  } satisfies SelfRecord,
} as const

test('what is stored in format 1 reads, and is written again to the same text', (t) => {
  const kinds = ['host', 'scope', 'token', 'self'] as const
  const write = () => kinds.map((kind) => `${kind} ${Buffer.from(encodeRecord(kept[kind])).toString()}\n`).join('')
  const lines = fixture('member-records.1.txt', write).trimEnd().split('\n')
  for (const [at, kind] of kinds.entries()) {
    const text = lines[at]?.slice(kind.length + 1) ?? ''
    t.deepEqual(decodeRecord(kind, kind, Buffer.from(text)) as unknown, kept[kind])
  }
  t.is(write(), `${lines.join('\n')}\n`)
  t.is(decodeRecord('host', 'host', Buffer.from('{"v":1}')), undefined)
  t.is(decodeRecord('host', 'host', Buffer.from([0xff])), undefined)
})

test('a token reads as it was made, and nothing else is one', (t) => {
  const text = formatToken(token)
  t.is(text, fixture('join-token.1.txt', () => `${text}\n`).trimEnd())
  t.deepEqual(parseToken(` ${text}\n`), token)
  for (const bad of ['', 'skj2_', text.slice(1), `${text}0`, text.replace('n1-a', '-'), text.toUpperCase()])
    t.is(parseToken(bad), undefined, bad)
  t.not(tokenHash(token, nodeHash), tokenHash({ ...token, host: 'n1-b' }, nodeHash), 'bound to its host')
  t.not(tokenHash(token, nodeHash), tokenHash({ ...token, issuer: '0f'.repeat(16) }, nodeHash), 'and its issuer')
  t.true(isSameHash('abc', 'abc'))
  for (const other of ['abd', 'bbc', 'ab', '']) t.false(isSameHash('abc', other))
})
