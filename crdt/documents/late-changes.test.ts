import test from 'ava'
import { toHex } from '../authority/index.ts'
import { fixture } from '../fixtures/fixture.contract.ts'
import { craft } from '../lane/scene/index.ts'
import { decodeLate, encodeLate } from './late-changes.ts'
import { scene } from './seal-scene.contract.ts'

const envelope = craft(scene, scene.writer(1), { seq: 1, startOp: 1, deps: [], puts: [] })

test('the fixture of format 1 of a late change is read, and written to the same bytes', (t) => {
  const bytes = fixture('late-change.1', () => encodeLate('unsure', envelope.bytes))
  const late = decodeLate(bytes)
  t.is(late?.reason, 'unsure')
  t.is(toHex(late?.envelope ?? new Uint8Array()), toHex(envelope.bytes))
  t.is(toHex(encodeLate('unsure', envelope.bytes)), toHex(bytes))
})

test('each reason is read back, and what is of another version or reason is none', (t) => {
  for (const reason of ['cut', 'rival', 'unsure', 'excluded'] as const)
    t.is(decodeLate(encodeLate(reason, envelope.bytes))?.reason, reason)
  t.is(decodeLate(Uint8Array.of(2, 0, 1)), undefined)
  t.is(decodeLate(Uint8Array.of(1, 4, 1)), undefined)
  t.is(decodeLate(Uint8Array.of()), undefined)
})
