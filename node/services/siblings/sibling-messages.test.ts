import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { nodeHash } from '../../../crdt/index.ts'
import { blobTag } from './blob-tag.ts'
import {
  readBlobQuestion,
  readDepositHead,
  readLeave,
  readLeaveAnswer,
  readSiblingAnswer,
  readSiblingHello,
} from './sibling-messages.ts'

const [key, base64] = ['0a'.repeat(32), Buffer.from('bytes').toString('base64')]
const readers = {
  leave: readLeave,
  keep: readLeave,
  'leave-answer': readLeaveAnswer,
  hello: readSiblingHello,
  welcome: readSiblingAnswer,
  refused: readSiblingAnswer,
  deposits: readDepositHead,
  blob: readBlobQuestion,
} as const
const samples: Readonly<Record<keyof typeof readers, unknown>> = {
  leave: { v: 1, kind: 'leave', record: base64, sealed: base64 },
  keep: { v: 1, kind: 'keep', readers: [key] },
  'leave-answer': { v: 1, result: 'older', number: 7 },
  hello: { v: 1, network: key, certificate: base64 },
  welcome: { v: 1, kind: 'welcome', certificate: base64, nonce: key, records: [base64] },
  refused: { v: 1, kind: 'refused' },
  deposits: { v: 1, deposits: [{ record: base64, sizeBytes: 5 }] },
  blob: { v: 1, tag: key, offset: 12 },
}

test('the messages of format 1 read', (t) => {
  const path = new URL('fixtures/sibling-messages.1.json', import.meta.url)
  if (!existsSync(path)) writeFileSync(path, `${JSON.stringify(samples, undefined, 2)}\n`)
  const kept = JSON.parse(readFileSync(path, 'utf8')) as typeof samples
  for (const [name, read] of Object.entries(readers)) {
    const sample = kept[name as keyof typeof readers]
    t.deepEqual(read(sample) as unknown, sample, name)
    t.is(read({ ...(sample as object), v: 2 }), undefined, name)
    for (const other of [null, 1, 'text', [], {}, { v: 1 }]) t.is(read(other), undefined, name)
  }
})

test('lists and texts over their bounds are no messages', (t) => {
  t.is(readLeave({ v: 1, kind: 'keep', readers: Array(1_025).fill(key) }), undefined)
  t.is(readLeave({ v: 1, kind: 'leave', record: base64, sealed: 'A'.repeat(2 ** 21 + 4) }), undefined)
  t.is(readDepositHead({ v: 1, deposits: Array(9).fill({ record: base64, sizeBytes: 1 }) }), undefined)
  t.is(readSiblingHello({ v: 1, network: key, certificate: 'A'.repeat(8 * 1024 + 4) }), undefined)
  t.is(readBlobQuestion({ v: 1, tag: key, offset: -1 }), undefined)
})

test('a blob is asked for by another tag on each link, for each tenant and for each digest', (t) => {
  const asked = { nonce: key, tenant: '0b'.repeat(16), digest: `sha256:${key}` }
  const tag = blobTag(asked, nodeHash)
  t.regex(tag, /^[0-9a-f]{64}$/)
  t.is(blobTag({ ...asked }, nodeHash), tag)
  for (const other of [
    { nonce: '0c'.repeat(32) },
    { tenant: '0c'.repeat(16) },
    { digest: `sha256:${'0c'.repeat(32)}` },
  ])
    t.not(blobTag({ ...asked, ...other }, nodeHash), tag)
})
