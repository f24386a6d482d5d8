import {
  bookLimits,
  deploymentVersionKind,
  envelopeAuthor,
  maxEnvelopeBytes,
  nodeHash,
  parkingLimits,
  readRecord,
  recordLimits,
  scanChange,
} from '../../../crdt/index.ts'
import type { DiskWrite } from '../../world/index.ts'
import type { MakeChecker } from '../checker.ts'
import { readStateFile } from '../state-files.ts'

/** A change of Automerge begins so. */
const changeMagic = Buffer.from('856f4a83', 'hex')
const signatureBytes = 64
/** A slot of a record's signatures: key and signature, and what says how many there are. */
const slotBytes = 128
const mostRecordBytes = recordLimits.bodyBytes + (recordLimits.signatures + 1) * slotBytes
/** Failures that an edge remembers of one application, `maxFailures` in runtime/history.ts. */
const mostFailures = 256

/** Of `crdt/lane`: a test judges by less. */
const waitingLimits: { readonly authorCount: number; readonly authorBytes: number } = parkingLimits

const envelopePattern = /^store\/d\/([0-9a-f]{32})\/e\/[0-9a-f]{8}\/([0-9a-f]{64})$/
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
    const violations: string[] = []
    let seen = 0

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
      const read = readRecord(deploymentVersionKind, bytes, { hash: nodeHash })
      if (!read.ok) return
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
          const [, document] = envelopePattern.exec(write.name) ?? []
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
