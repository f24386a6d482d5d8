import { formatLaneName, type LaneName } from '../../../crdt/index.ts'
import type { MakeChecker } from '../checker.ts'
import { isSignedWith, readPiece, writersOf } from '../lanes.ts'

interface Kept {
  readonly machine: string
  readonly author: string
  readonly hash: string
  readonly bytes: Uint8Array
}

const storeKey = /^store\/(.*)$/s

/**
 * Reads every change that reaches a disk: its author is the key of a machine that runs the lane's owner, by the topology
 * and the keys of the machines, whatever the records say that the node believes.
 */
export const authorsEntitled: MakeChecker = ({ world }) => {
  const violations: string[] = []
  const lanes = new Map<string, LaneName>()
  /** Changes of lanes whose first record was not seen yet. */
  const early = new Map<string, Kept[]>()
  let seen = 0

  const judge = (lane: LaneName, { machine, author, hash, bytes }: Kept) => {
    seen++
    const key = writersOf(world, lane).get(author)
    if (key !== undefined && isSignedWith(world, key, bytes)) return
    const what = `${machine} keeps change ${hash.slice(0, 12)} of ${formatLaneName(lane)}`
    violations.push(
      key === undefined
        ? `${what}, whose author ${author.slice(0, 12)} may not write it`
        : `${what}, which its author ${author.slice(0, 12)} did not sign`,
    )
  }

  return {
    invariant: 2,
    sentence: 'no replica applied a change its author was not entitled to make in that epoch',
    observer: {
      write: (machine, { name, bytes }) => {
        const key = storeKey.exec(name)?.[1]
        const piece = key === undefined || typeof bytes === 'string' ? undefined : readPiece(key, bytes)
        if (piece === undefined) return
        if (piece.kind === 'genesis') {
          lanes.set(piece.documentId, piece.lane)
          for (const kept of early.get(piece.documentId) ?? []) judge(piece.lane, kept)
          early.delete(piece.documentId)
          return
        }
        const kept = { machine, author: piece.author, hash: piece.hash, bytes: piece.bytes }
        const lane = lanes.get(piece.documentId)
        if (lane) judge(lane, kept)
        else early.set(piece.documentId, [...(early.get(piece.documentId) ?? []), kept])
      },
    },
    violations: () => violations,
    seen: () => seen,
  }
}
