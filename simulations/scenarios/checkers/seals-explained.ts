import { formatLaneName, type LaneName } from '../../../crdt/index.ts'
import type { Machine } from '../../world/index.ts'
import { asked } from '../asked.ts'
import type { MakeChecker } from '../checker.ts'
import { isChange, readPiece, readTail } from '../lanes.ts'

/** What a seal may leave behind. */
export type SealRemain = 'late' | 'proof'

/** Where a change is on one disk: in its epoch, listed as late, or gone with its epoch. */
interface Place {
  readonly documentId: string
  readonly epoch: number
  isLate: boolean
  isIn: boolean
}

const storePrefix = 'store/'
/** More lines of a kind are summed up in one (`node/views/node-view.ts`): then not each lane is named. */
const sumLine = /more lines about lanes$/

const notesOf = async (machine: Machine): Promise<readonly string[]> =>
  (await machine.node()?.services.state.node(asked))?.notes ?? []

const tellsOf = (notes: readonly string[], kind: SealRemain, lane: string): boolean =>
  notes.some(
    (note) =>
      sumLine.test(note) ||
      (note.includes(` ${lane}`) &&
        note.includes(kind === 'late' ? 'came too late' : 'signed two changes with one number')),
  )

/**
 * Where lanes are sealed nothing is lost: each change that reached a disk is in its epoch there, or listed as late, for as
 * long as its epoch is kept; and what is late, and which key signed twice, the node says in words.
 * @param needs what has to be seen for a run to prove anything, beside lanes that were sealed
 */
export const sealsExplained =
  (needs: readonly SealRemain[]): MakeChecker =>
  ({ world }) => {
    const lanes = new Map<string, LaneName>()
    /** By machine, then by hash. */
    const places = new Map<string, Map<string, Place>>()
    const violations: string[] = []
    const counts = { seal: 0, late: 0, proof: 0 }

    const ofMachine = (machine: string) => {
      const found = places.get(machine) ?? new Map<string, Place>()
      places.set(machine, found)
      return found
    }
    const takeLate = (machine: string, key: string, isThere: boolean) => {
      const tail = readTail(key)
      if (tail?.kind !== 'late') return
      const own = ofMachine(machine)
      const { documentId, epoch, of } = tail
      const place = own.get(of) ?? { documentId, epoch, isLate: false, isIn: false }
      own.set(of, place)
      place.isLate = isThere
    }
    const takeChange = (machine: string, key: string, bytes: Uint8Array) => {
      if (bytes.length === 0) {
        const gone = ofMachine(machine).get(key.slice(key.lastIndexOf('/') + 1))
        if (gone && key.split('/')[2] === 'e') gone.isIn = false
        return
      }
      const piece = readPiece(key, bytes)
      if (piece?.kind === 'genesis') lanes.set(piece.documentId, piece.lane)
      if (piece?.kind !== 'envelope' || !isChange(piece.bytes)) return
      const own = ofMachine(machine)
      const { documentId, epoch, hash } = piece
      const place = own.get(hash) ?? { documentId, epoch, isLate: false, isIn: false }
      own.set(hash, place)
      place.isIn = true
    }

    const nameOf = (documentId: string): string => {
      const lane = lanes.get(documentId)
      return lane ? formatLaneName(lane) : documentId
    }
    const judge = async (machine: Machine): Promise<readonly string[]> => {
      const { name } = machine.place
      const contents = await machine.disk.scan('d/')
      const notes = await notesOf(machine)
      const open = new Map<string, number>()
      const kept = new Set<string>()
      const remains = new Set<string>()
      for (const [key, bytes] of contents) {
        const piece = key.includes('/g/') ? readPiece(key, bytes) : undefined
        if (piece?.kind === 'genesis') {
          kept.add(`${piece.documentId} ${piece.epoch}`)
          open.set(piece.documentId, Math.max(piece.epoch, open.get(piece.documentId) ?? 0))
        }
        const tail = readTail(key)
        if (tail) remains.add(`${tail.kind} ${tail.documentId}`)
      }
      counts.seal += [...open.values()].filter((epoch) => epoch > 1).length
      const lacking: string[] = []
      for (const remain of remains) {
        const [kind = '', documentId = ''] = remain.split(' ')
        const what = kind === 'late' ? 'late' : 'proof'
        counts[what]++
        if (!tellsOf(notes, what, nameOf(documentId)))
          lacking.push(
            `${name} does not say what is ${what === 'late' ? 'late' : 'signed twice'} in ${nameOf(documentId)}`,
          )
      }
      for (const [hash, { documentId, epoch, isIn, isLate }] of ofMachine(name))
        if (!isIn && !isLate && kept.has(`${documentId} ${epoch}`))
          lacking.push(
            `${name} keeps epoch ${epoch} of ${nameOf(documentId)} and neither holds change ${hash.slice(0, 12)} nor lists it as late`,
          )
      return lacking
    }

    return {
      invariant: 6,
      sentence: 'what a seal left outside is kept and listed, and a key that signed twice is named',
      observer: {
        write: (machine, { name, bytes }) => {
          if (!name.startsWith(storePrefix) || typeof bytes === 'string') return
          const key = name.slice(storePrefix.length)
          takeChange(machine, key, bytes)
          takeLate(machine, key, bytes.length > 0)
        },
      },
      violations: () => violations,
      seen: () => Math.min(counts.seal, ...needs.map((need) => counts[need])),
      lacking: async () => {
        const all: string[] = []
        for (const machine of world.machines) if (machine.node()) all.push(...(await judge(machine)))
        return all
      },
    }
  }
