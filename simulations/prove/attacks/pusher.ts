import { encodeMessage } from '../../../crdt/replication/index.ts'
import type { MeshStream } from '../../../mesh/index.ts'
import type { Doctor } from '../guard.ts'
import { northGate } from '../scenes.ts'
import { every, watchDocuments, watchStore } from './watched.ts'

const everyMs = 5_000
const genesisKey = /^d\/[0-9a-f]{32}\/g\//

/** An aggregator that brings its parent every lane it holds, also those of its sites. */
export const pusher = (): Doctor => (machine, powers) => {
  if (machine !== northGate) return powers
  const lanes = new Map<string, Uint8Array>()
  let stream: MeshStream | undefined
  const push = async () => {
    for (const bytes of lanes.values()) await stream?.send(encodeMessage({ kind: 'genesis', bytes }))
  }
  every(powers, everyMs, () => void push().catch(() => {}))
  const noting = watchStore(powers, ({ key, value }) => {
    if (genesisKey.test(key)) lanes.set(key, value)
  })
  return watchDocuments(noting, (made) => {
    stream = made
  })
}
