import {
  bookLimits,
  deploymentVersionKind,
  envelopeAuthor,
  maxEnvelopeBytes,
  nodeHash,
  parkingLimits,
  parseState,
  readRecord,
  recordLimits,
  scanChange,
} from '../../../crdt/index.ts'
import { createLaneBase } from '../../../crdt/lane/index.ts'
import type { DiskWrite } from '../../world/index.ts'
import type { MakeChecker } from '../checker.ts'
import { readPiece, type StoredPiece } from '../lanes.ts'
import { readStateFile } from '../state-files.ts'

/** A change of Automerge begins so. */
const changeMagic = Buffer.from('856f4a83', 'hex')
const signatureBytes = 64
/** A slot of a record's signatures: key and signature, and what says how many there are. */
const slotBytes = 128
const mostRecordBytes = recordLimits.bodyBytes + (recordLimits.signatures + 1) * slotBytes
/** The book puts so many bytes before a record (docs/adr/0024-the-book.md). */
const storedHeadBytes = 7
/** Failures that an edge remembers of one application, `maxFailures` in runtime/history.ts. */
const mostFailures = 256

/** Of `crdt/lane`: a test judges by less. */
const waitingLimits: { readonly authorCount: number; readonly authorBytes: number } = parkingLimits

const envelopePattern = /^store\/d\/([0-9a-f]{32})\/e\/[0-9a-f]{8}\/([0-9a-f]{64})$/
const latePattern = /^store\/d\/([0-9a-f]{32})\/l\/[0-9a-f]{8}\/([0-9a-f]{64})$/
/** Of `crdt/documents`: late changes of one author in one lane that others bring. */
const mostLate = 256
/** A late change on disk is its envelope after so many bytes. */
const lateHeadBytes = 2
const epochPattern = /^store\/(d\/([0-9a-f]{32})\/([gb])\/([0-9a-f]{8}))$/
const versionPattern = /^store\/r\/deployment-version\/([0-9a-f]{64})$/

/** Changes of one lane on one disk, by what they stand on. */
interface Lane {
  readonly held: Set<string>
  /** Author and size of those that wait for another change, by their hash. */
  readonly waiting: Map<string, { readonly author: string; readonly sizeBytes: number; readonly missing: Set<string> }>
}

const release = (lane: Lane, hash: string): void => {
  lane.held.add(hash)
  for (const [waiter, { missing }] of [...lane.waiting]) {
    if (!missing.delete(hash) || missing.size > 0 || !lane.waiting.delete(waiter)) continue
    release(lane, waiter)
  }
}

/**
 * Judges what reaches a disk by the limits that production code names: how large one envelope or record is, how many
 * changes of one author wait for others, how many versions of a deployment are kept, how many failures are remembered.
 * @param parking how many changes of one author may wait on one disk
 */
export const boundedBy =
  (parking: typeof waitingLimits): MakeChecker =>
  () => {
    const lanes = new Map<string, Lane>()
    /** Ids of versions by machine, signer and deployment. */
    const versions = new Map<string, Set<string>>()
    const begins = new Map<string, Extract<StoredPiece, { kind: 'genesis' }>>()
    /** Changes that came late and were not held before, by machine, lane and author. */
    const late = new Map<string, Set<string>>()
    /** Envelopes that were held, by machine and hash. */
    const held = new Set<string>()
    const violations: string[] = []
    let seen = 0

    /** An epoch after the first stands on what the one before came to, which is nobody's change. */
    const takeEpoch = (
      machine: string,
      [, key = '', document = '', kind, epoch]: readonly string[],
      bytes: Uint8Array,
    ) => {
      const name = `${machine} ${document} ${epoch}`
      const piece = kind === 'g' ? readPiece(key, bytes) : undefined
      if (piece?.kind === 'genesis') begins.set(name, piece)
      const begun = kind === 'b' && bytes.length > 0 ? begins.get(name) : undefined
      const parsed = begun && parseState(Buffer.from(bytes).toString(), begun.lane, nodeHash)
      if (begun && parsed?.ok) release(laneOf(machine, document), createLaneBase(begun.id, parsed.state, nodeHash).root)
    }
    const takeLate = (machine: string, document: string, hash: string, bytes: Uint8Array) => {
      if (bytes.length === 0 || held.has(`${machine} ${hash}`)) return
      const { author } = envelopeAuthor(bytes.subarray(lateHeadBytes))
      const key = `${machine} ${document} ${author}`
      const own = (late.get(key) ?? new Set()).add(hash)
      late.set(key, own)
      if (own.size > mostLate)
        violations.push(
          `${machine} keeps ${own.size} late changes of ${author.slice(0, 12)} in one lane; at most ${mostLate}`,
        )
    }
    const laneOf = (machine: string, document: string): Lane => {
      const key = `${machine} ${document}`
      const lane = lanes.get(key) ?? { held: new Set(), waiting: new Map() }
      lanes.set(key, lane)
      return lane
    }
    const judgeWaiting = (machine: string, author: string) => {
      const own = [...lanes]
        .filter(([key]) => key.startsWith(`${machine} `))
        .flatMap(([, { waiting }]) => [...waiting.values()])
        .filter((one) => one.author === author)
      const bytes = own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
      if (own.length > parking.authorCount || bytes > parking.authorBytes)
        violations.push(
          `${machine} keeps ${own.length} changes of ${author.slice(0, 12)} that wait for others, ${bytes} bytes; at most ${parking.authorCount} and ${parking.authorBytes}`,
        )
    }
    const takeEnvelope = (machine: string, document: string, bytes: Uint8Array) => {
      if (bytes.length > maxEnvelopeBytes)
        violations.push(`${machine} keeps an envelope of ${bytes.length} bytes; at most ${maxEnvelopeBytes}`)
      const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      const at = view.indexOf(changeMagic)
      const scanned = at < 0 ? undefined : scanChange(bytes.subarray(at, bytes.length - signatureBytes))
      if (!scanned?.ok) return
      const { hash, deps } = scanned.header
      const lane = laneOf(machine, document)
      const missing = new Set(deps.filter((dep) => !lane.held.has(dep)))
      if (missing.size === 0) return release(lane, hash)
      const { author } = envelopeAuthor(bytes)
      lane.waiting.set(hash, { author, sizeBytes: bytes.length, missing })
      judgeWaiting(machine, author)
    }
    const takeVersion = (machine: string, id: string, bytes: Uint8Array) => {
      if (bytes.length === 0) {
        for (const [key, ids] of versions) if (key.startsWith(`${machine} `)) ids.delete(id)
        return
      }
      const read = readRecord(deploymentVersionKind, bytes.subarray(storedHeadBytes), { hash: nodeHash })
      if (!read.ok) {
        violations.push(
          `${machine} keeps a deployment version ${id.slice(0, 12)} that cannot be read: ${read.refusal.message}`,
        )
        return
      }
      const key = `${machine} ${read.record.body.signer} ${read.record.body.deployment}`
      const ids = (versions.get(key) ?? new Set()).add(id)
      versions.set(key, ids)
      // The one that is put in another's place is there before that is gone.
      if (ids.size > bookLimits.versionsPerDeployment + 1)
        violations.push(
          `${machine} keeps ${ids.size} versions of a deployment; at most ${bookLimits.versionsPerDeployment}`,
        )
    }
    const takeHistories = (machine: string, { bytes }: DiskWrite) => {
      for (const [application, { failures = {} }] of Object.entries(
        readStateFile<Record<string, { failures?: object }>>(bytes) ?? {},
      ))
        if (Object.keys(failures).length > mostFailures)
          violations.push(`${machine} remembers more than ${mostFailures} failures of ${application}`)
    }

    return {
      invariant: 9,
      sentence: 'queues, caches, retries, parked changes and histories stay inside their named limits',
      observer: {
        write: (machine, write) => {
          if (write.isSame) return
          if (write.name === 'state/histories') return takeHistories(machine, write)
          if (typeof write.bytes === 'string') return
          if (write.name.startsWith('store/r/') && write.bytes.length > mostRecordBytes)
            violations.push(`${machine} keeps a record of ${write.bytes.length} bytes; at most ${mostRecordBytes}`)
          const epoch = epochPattern.exec(write.name)
          if (epoch) return takeEpoch(machine, epoch, write.bytes)
          const [, lane, lateHash] = latePattern.exec(write.name) ?? []
          if (lane !== undefined && lateHash !== undefined) return takeLate(machine, lane, lateHash, write.bytes)
          const [, document, hash] = envelopePattern.exec(write.name) ?? []
          if (hash !== undefined) held.add(`${machine} ${hash}`)
          const id = versionPattern.exec(write.name)?.[1]
          if (document === undefined && id === undefined) return
          seen++
          if (document !== undefined && write.bytes.length > 0) takeEnvelope(machine, document, write.bytes)
          if (id !== undefined) takeVersion(machine, id, write.bytes)
        },
      },
      violations: () => violations,
      seen: () => seen,
    }
  }

export const staysBounded: MakeChecker = boundedBy(waitingLimits)
