import { formatLaneName, type LaneName } from '../../../crdt/index.ts'
import type { MakeChecker } from '../checker.ts'
import { readPiece, writersOf } from '../lanes.ts'

interface Kept {
  readonly machine: string
  readonly author: string
  readonly hash: string
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

  const judge = (lane: LaneName, { machine, author, hash }: Kept) => {
    seen++
    if (writersOf(world, lane).has(author)) return
    const name = formatLaneName(lane)
    violations.push(
      `${machine} keeps change ${hash.slice(0, 12)} of ${name}, whose author ${author.slice(0, 12)} may not write it`,
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
        const kept = { machine, author: piece.author, hash: piece.hash }
        const lane = lanes.get(piece.documentId)
        if (lane) judge(lane, kept)
        else early.set(piece.documentId, [...(early.get(piece.documentId) ?? []), kept])
      },
    },
    violations: () => violations,
    seen: () => seen,
  }
}
