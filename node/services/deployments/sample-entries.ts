import { createHash } from 'node:crypto'
import {
  type Candidate,
  type DeploymentVersion,
  type Effective,
  type Entry,
  formatEntry,
  parseEntry,
  type ReadEntry,
} from '../../../crdt/index.ts'

/** Builders for tests of entries and versions: each sets what a test is not about. */

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest()
export const sampleHash = (text: string): string => sha256(text).toString('hex')

/** The id of the thing called `name`: 32 hexadecimal digits. */
export const idOf = (name: string): string => sampleHash(name).slice(0, 32)
/** The id of the record called `name`: 64 hexadecimal digits. */
export const recordOf = (name: string): string => sampleHash(name)

/** @throws {RangeError} when it is no entry */
export const readText = (text: string): ReadEntry => {
  const read = parseEntry(text, { sha256 })
  if (!read.ok) throw new RangeError(read.refusal.message)
  return read.entry
}

export const sampleEntry = (fields: Partial<Entry> = {}): ReadEntry =>
  readText(
    formatEntry({
      decision: idOf('d1'),
      version: recordOf('v1'),
      step: 0,
      share: null,
      fence: { generation: 1, n: 1 },
      seen: [],
      retired: fields.version === null,
      ...fields,
    }),
  )

export const sampleRetired = (fields: Partial<Entry> = {}): ReadEntry => sampleEntry({ version: null, ...fields })

export const agreedOn = (application: string, entry: ReadEntry): Effective => ({
  kind: 'entry',
  application,
  lane: 'intent/.de/x/.',
  voice: 'intent',
  entry,
})

export const conflictOf = (application: string, ...entries: readonly ReadEntry[]): Effective => ({
  kind: 'conflict',
  application,
  candidates: entries.map((entry, at): Candidate => {
    const voice = at === 0 ? 'intent' : 'local'
    return { lane: `${voice}/.de`, voice, entry }
  }),
})

export const sampleVersion = (fields: Partial<DeploymentVersion> = {}): DeploymentVersion => ({
  kind: 'deployment-version',
  network: recordOf('network'),
  tenant: idOf('tenant'),
  application: idOf('shop'),
  deployment: idOf('shop-all'),
  name: 'shop-all',
  signer: recordOf('signer'),
  order: 1,
  revision: recordOf('revision'),
  placement: 'system/type = edge',
  secrets: [],
  ...fields,
})
