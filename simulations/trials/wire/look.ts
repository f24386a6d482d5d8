import type { ScopePath } from '../../../base/index.ts'
import type { Answer } from './curious.ts'
import { createKeySearch, type Hit, type Writing, wordsIn } from './needles.ts'
import type { Capture } from './tap.ts'
import { deflateChange, type Fold, unfold } from './unfold.ts'
import { readDisk, type WireNode, type WireTree } from './wire-tree.ts'

/** `calibration`: what the search itself was given, to show that it finds it. */
export type PlaceKind = 'link' | 'disk' | 'answer' | 'calibration'

/** One canary somewhere. */
export interface Sighting {
  readonly needle: string
  readonly place: PlaceKind
  /** Who holds it then: who a message was sent to, whose disk it is. */
  readonly reader: ScopePath
  /** Whose it was before, of a message. */
  readonly from?: ScopePath
  /** Purpose of the stream, key in the store, name of the file. */
  readonly where: string
  readonly writing: Writing
  readonly folds: readonly Fold[]
  /** Bytes of the piece it was found in. */
  readonly pieceBytes: number
  /** What stands around it, for a person. */
  readonly around: string
}

/** What was asked on purpose, apart from what a tree says by itself. */
export interface Curiosity {
  readonly fromStream: number
  readonly said: ReadonlySet<string>
}

export interface Search {
  readonly sightings: readonly Sighting[]
  readonly searchedBytes: number
  readonly pieces: number
  /** What looked packed and could not be opened. */
  readonly closed: readonly string[]
}

/** Changes over this are those that Automerge would deflate without fail. */
export const largeChangeBytes = 1_024
/** Bytes around a hit that are shown. */
const aroundBytes = 60

const printable = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '.')

/**
 * A document travels in parts, each begun by a byte that says whether it is the last. Without those bytes the parts are
 * joined, so that nothing hides where they were cut.
 */
const joinedOf = ({ messages }: Capture): readonly Uint8Array[] => [
  Buffer.concat(messages),
  Buffer.concat(messages.map((message) => message.subarray(1))),
]

export const createSearch = (keys: ReadonlyMap<string, Uint8Array>) => {
  const sightings: Sighting[] = []
  const closed: string[] = []
  const keysIn = createKeySearch(keys)
  /** A large change that was seen to carry it, by canary. */
  const largeChanges = new Map<string, Uint8Array>()
  let searchedBytes = 0
  let pieces = 0

  const look = (
    bytes: Uint8Array,
    place: Pick<Sighting, 'place' | 'reader' | 'from' | 'where'>,
    said: ReadonlySet<string> = new Set(),
  ): void => {
    const unfolded = unfold(bytes)
    closed.push(...unfolded.closed.map((words) => `${place.place} ${place.reader} ${place.where}: ${words}`))
    const seen = new Set<string>()
    for (const piece of unfolded.pieces) {
      searchedBytes += piece.bytes.length
      pieces += 1
      const hits: readonly Hit[] = [...wordsIn(piece.bytes), ...keysIn(piece.bytes)]
      for (const { needle, writing, at } of hits) {
        const once = `${needle} ${writing} ${piece.folds.join()}`
        if (seen.has(once) || said.has(needle)) continue
        seen.add(once)
        if (place.place === 'link' && piece.folds.at(-1) === 'change' && piece.bytes.length > largeChangeBytes)
          largeChanges.set(needle, piece.bytes)
        const around = printable(piece.bytes.subarray(Math.max(0, at - aroundBytes), at + aroundBytes))
        sightings.push({ needle, ...place, writing, folds: piece.folds, pieceBytes: piece.bytes.length, around })
      }
    }
  }

  return {
    /**
     * Every byte of every stream that one end of a link sent to the other.
     * @param curious from which stream on questions were asked, and the canaries that were said in them: a request
     *   echoes those
     */
    links: ({ nodeOf, node, tap }: WireTree, curious: Curiosity): void => {
      for (const [index, capture] of tap.captures.entries()) {
        const said = index >= curious.fromStream && capture.purpose === 'request' ? curious.said : undefined
        const reader = nodeOf(capture.peer).place.scope
        const place = { place: 'link', reader, from: node(capture.from).place.scope } as const
        const [first, ...rest] = joinedOf(capture)
        for (const bytes of [first, ...rest]) if (bytes) look(bytes, { ...place, where: capture.purpose }, said)
      }
    },
    /** Everything a stopped node keeps. */
    disk: async (one: WireNode): Promise<void> => {
      for await (const { where, bytes } of readDisk(one)) look(bytes, { place: 'disk', reader: one.place.scope, where })
    },
    /** What nodes said in their logs. @param lines the first line that is looked at, and the first that is not */
    logs: (
      nodes: readonly WireNode[],
      lines: (one: WireNode) => readonly [number, number],
      said?: ReadonlySet<string>,
    ): void => {
      for (const one of nodes)
        look(
          Buffer.from(one.log.slice(...lines(one)).join('\n')),
          { place: 'disk', reader: one.place.scope, where: 'its log' },
          said,
        )
    },
    answers: (answers: readonly Answer[], said: ReadonlySet<string>): void => {
      for (const { at, question, text } of answers)
        look(Buffer.from(text), { place: 'answer', reader: at.place.scope, where: question }, said)
    },
    /** Packs the large changes that were seen as a peer may pack them, and looks at those. */
    calibrate: (): void => {
      for (const change of new Set(largeChanges.values()))
        look(deflateChange(change), { place: 'calibration', reader: '/' as ScopePath, where: 'a change, deflated' })
    },
    found: (): Search => ({ sightings, searchedBytes, pieces, closed }),
  }
}
