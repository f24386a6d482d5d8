import { formatLaneName, type LaneName } from '../../../crdt/index.ts'
import type { DiskWrite } from '../../world/index.ts'
import { canariesIn } from '../canaries.ts'
import type { MakeChecker } from '../checker.ts'
import { holdersOf, readPiece } from '../lanes.ts'

/** Bytes of one frame that may be the beginning of a mark the next frame of the stream ends. */
const overlapBytes = 48
const storePrefix = 'store/'

/**
 * Searches every byte that arrives over a wire, is written to a disk or said in a log. A frame may carry what both of its
 * ends may hold; a disk and a log what their machine may hold, and a store only lanes of its own scope and of scopes
 * right below.
 */
export const canariesStay: MakeChecker = ({ world, canaries }) => {
  const violations: string[] = []
  const tails = new Map<string, Uint8Array>()
  const lanes = new Map<string, LaneName>()
  let seen = 0

  const judge = (content: Uint8Array | string, machines: readonly string[], where: string) => {
    for (const canary of canariesIn(content)) {
      seen++
      const stranger = machines.find((machine) => canaries.mayHold(canary, machine) === false)
      if (stranger !== undefined) violations.push(`${canary} ${where}, and ${stranger} may not hold it`)
    }
  }
  const judgeLane = (machine: string, { name, bytes }: DiskWrite) => {
    if (!name.startsWith(storePrefix) || typeof bytes === 'string') return
    const piece = readPiece(name.slice(storePrefix.length), bytes)
    if (piece?.kind === 'genesis') lanes.set(piece.documentId, piece.lane)
    const lane = piece && lanes.get(piece.documentId)
    if (lane && !holdersOf(world, lane).includes(machine))
      violations.push(`a ${piece.kind} of ${formatLaneName(lane)} was written to the store of ${machine}`)
  }

  return {
    invariant: 1,
    sentence: 'no document, blob, log line or event is present outside the scopes that may read it',
    observer: {
      frame: ({ from, to, frame }) => {
        if (frame.payload.byteLength === 0) return
        const stream = `${from}>${to} ${frame.stream}`
        const tail = tails.get(stream)
        const bytes = tail ? Buffer.concat([tail, frame.payload]) : frame.payload
        if (frame.kind === 'more') tails.set(stream, frame.payload.slice(-overlapBytes))
        else if (tail) tails.delete(stream)
        judge(bytes, [from, to], `passed from ${from} to ${to}`)
      },
      write: (machine, write) => {
        judge(write.bytes, [machine], `was written to ${write.name} of ${machine}`)
        judgeLane(machine, write)
      },
      log: (machine, { message, fields }) =>
        judge(`${message} ${JSON.stringify(fields)}`, [machine], `was said in the log of ${machine}`),
    },
    violations: () => violations,
    seen: () => seen,
  }
}
