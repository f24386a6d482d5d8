import test from 'ava'
import { createMemoryNetwork, type MeshLink } from '../../mesh/index.ts'
import { answer, ask, type LinkPurpose } from './link-messages.ts'

const chunk = new TextEncoder().encode('bytes')
const purpose: LinkPurpose = 'blob'

/** One question over a link, and the reasons for which its stream was aborted at the end that asked. */
const askOnce = async (read: (body: AsyncIterable<Uint8Array>) => Promise<number>) => {
  const network = createMemoryNetwork()
  const near = network.createMesh('aa'.repeat(32))
  const far = network.createMesh('bb'.repeat(32), 'far')
  const left = Promise.withResolvers<unknown>()
  far.onLink((link) =>
    far.onStream(link, (stream) => {
      const work = async (_question: unknown, signal: AbortSignal) => {
        signal.addEventListener('abort', () => left.resolve(signal.reason))
        return {
          head: 'head',
          body: (async function* () {
            yield chunk
            yield chunk
          })(),
        }
      }
      answer(stream, work).catch(left.reject)
    }),
  )
  await far.start()
  const link = await near.dial('far', { timeoutMs: 1_000 })
  const aborted: string[] = []
  const watched: MeshLink = {
    ...link,
    openStream: async (...given) => {
      const stream = await link.openStream(...given)
      const abort = (reason: string) => {
        aborted.push(reason)
        stream.abort(reason)
      }
      return { ...stream, abort }
    },
  }
  const { head, body } = await ask(watched, purpose, 'question')
  const chunks = await read(body)
  const reason = await left.promise
  await near.stop()
  await far.stop()
  return { head, chunks, aborted, reason }
}

test('an answer that was read to its end is over at both ends, and nobody aborts', async (t) => {
  const { reason, ...found } = await askOnce(async (body) => {
    let chunks = 0
    for await (const _ of body) chunks += 1
    return chunks
  })
  t.deepEqual(found, { head: 'head', chunks: 2, aborted: [] })
  t.like(reason, { code: 'link-lost' })
})

test('who stops in the midst of an answer says so', async (t) => {
  const { chunks, aborted } = await askOnce(async (body) => {
    for await (const _ of body) return 1
    return 0
  })
  t.is(chunks, 1)
  t.deepEqual(aborted, ['no longer read'])
})
