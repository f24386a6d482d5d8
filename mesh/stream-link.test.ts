import test from 'ava'
import type { Frame } from './frames.ts'
import { createStreamLink, maxHeldBytes, maxPeerStreams } from './stream-link.ts'

const startLink = () => {
  const written: Frame[] = []
  const link = createStreamLink({
    peer: 'aa'.repeat(32),
    dialed: true,
    write: (frame) => void written.push(frame),
    hangUp: () => {},
  })
  link.onStream(() => {})
  const openAt = (stream: number) => link.receive({ kind: 'open', stream, payload: Uint8Array.of(2) })
  return { link, written, openAt }
}

test('a peer fills the memory of one link up to its bound, then the stream that goes past it is aborted', (t) => {
  const { link, written, openAt } = startLink()
  let sentBytes = 0
  for (let stream = 2; !written.some(({ kind }) => kind === 'abort'); stream += 2) {
    openAt(stream)
    for (let part = 0; part < 31; part++) {
      link.receive({ kind: 'data', stream, payload: new Uint8Array(64 * 1024) })
      sentBytes += 64 * 1024
    }
    if (sentBytes > 2 * maxHeldBytes) return t.fail('nothing stopped it')
  }
  t.true(sentBytes > maxHeldBytes / 2 && sentBytes < maxHeldBytes + 4 * 1024 * 1024)
  // The link lives: another stream still gets its messages.
  openAt(1000)
  link.receive({ kind: 'data', stream: 1000, payload: new Uint8Array(1) })
  t.is(written.filter(({ kind }) => kind === 'abort').length, 1)
})

test('more streams than a peer may have are aborted one by one', (t) => {
  const { written, openAt } = startLink()
  for (let at = 1; at <= maxPeerStreams + 2; at++) openAt(2 * at)
  t.deepEqual(
    written.map(({ kind, stream }) => [kind, stream]),
    [
      ['abort', 2 * maxPeerStreams + 2],
      ['abort', 2 * maxPeerStreams + 4],
    ],
  )
})
