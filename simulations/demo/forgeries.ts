import { createHash } from 'node:crypto'
import { randomHex, SkerryError } from '../../base/index.ts'
import {
  type DeploymentVersion,
  deploymentVersionKind,
  type Envelope,
  type Owner,
  openEnvelope,
  type SignedRecord,
  type Signer,
  sealEnvelope,
  sealRecord,
  seedBytes,
} from '../../crdt/index.ts'
import { systemRandom } from '../../node/powers/index.ts'
import { writeEntries } from '../../node/services/deployments/index.ts'
import type { Attacker } from './attacker.ts'
import type { StolenDisk } from './stolen-disk.ts'

/** Where docs/adr/0010-envelopes.md has the epoch of an envelope, in bytes. */
const epochAt = 49

/** A key that nobody ever heard of. */
export const freshSigner = ({ powers }: StolenDisk): Signer =>
  powers.signatures.signer(systemRandom.fork('thief').bytes(seedBytes))

/** What stands in the intent lane of a site, on the stolen disk. */
export interface StolenLane {
  readonly documentId: string
  /** Of the lane: the zone whose aggregator was robbed. */
  readonly owner: Owner
  /** Id of the one application. */
  readonly application: string
  readonly version: SignedRecord<DeploymentVersion>
  /** One that counts, signed by the stolen key. */
  readonly envelope: Envelope
}

/** @throws {SkerryError} `not-shown` when the site was told nothing */
export const stolenLane = async (
  { book, powers }: StolenDisk,
  { documents }: Attacker,
  scope: string,
  zone: string,
): Promise<StolenLane> => {
  const tenant = book.tenants()[0]
  const owner = book.ownerAt(zone, 'zone')
  const documentId = documents.ids().find((id) => {
    const lane = documents.epochOf(id)?.lane
    return lane?.kind === 'intent' && lane.scope === scope && lane.tenant === tenant?.id
  })
  const epoch = documentId === undefined ? undefined : documents.epochOf(documentId)
  if (documentId === undefined || epoch === undefined || owner === undefined)
    throw new SkerryError('not-shown', `the stolen disk has no intent lane of ${scope}`)
  const [told] = [...((await documents.view(documentId))?.entries ?? [])]
  const version = book.version(told?.[1][0]?.version ?? '')
  const all = await documents.envelopes(documentId, new Set(await documents.hashes(documentId)))
  const opened = openEnvelope(all.at(-1) ?? new Uint8Array(), epoch.place, powers)
  if (told === undefined || version === undefined || !opened.ok)
    throw new SkerryError('not-shown', `${scope} was told nothing`)
  return { documentId, owner, application: told[0], version, envelope: opened.envelope }
}

const copyOf = (bytes: Uint8Array): Buffer => Buffer.from(Uint8Array.from(bytes))

/** One thing a thief brings that no writer of the lane signed for it. */
export interface Forgery {
  readonly attack: string
  /** What the host must refuse it as. */
  readonly code: string
  readonly envelopes: readonly Uint8Array[]
}

export const forgeriesOf = (disk: StolenDisk, lane: StolenLane, other: StolenLane): readonly Forgery[] => {
  const { signer, powers } = disk
  const { envelope } = lane
  const spoiled = copyOf(envelope.bytes)
  spoiled.writeUInt8((spoiled.at(-1) ?? 0) ^ 1, spoiled.length - 1)
  const moved = copyOf(envelope.bytes)
  moved.writeUInt32BE(2, epochAt)
  return [
    {
      attack: 'forged change: signed by a key that is no writer of the lane',
      code: 'not-a-writer',
      envelopes: [sealEnvelope(envelope, freshSigner(disk), powers).bytes],
    },
    {
      attack: 'forged change: the name of the aggregator with a signature that is not its own',
      code: 'bad-signature',
      envelopes: [spoiled],
    },
    {
      attack: 'replay into another epoch: a good change moved to epoch 2, and the same signed anew by the stolen key',
      code: 'wrong-epoch',
      envelopes: [moved, sealEnvelope({ ...envelope, epoch: 2 }, signer, powers).bytes],
    },
    {
      attack: `replay into another document: a good change of another site`,
      code: 'wrong-document',
      envelopes: [other.envelope.bytes],
    },
    {
      attack: 'replay into another network: a change signed by the stolen key for another network',
      code: 'wrong-network',
      envelopes: [sealEnvelope({ ...envelope, networkId: 'ab'.repeat(32) }, signer, powers).bytes],
    },
  ]
}

/** A version of the site's deployment that nobody entitled signed. */
export interface Invention {
  readonly attack: string
  readonly code: string
  readonly record: SignedRecord<DeploymentVersion>
}

/** What somebody makes up who has no delegation: in the name of the tower, and in a name of its own. */
export const inventionsOf = (
  { powers }: StolenDisk,
  { version: { body } }: StolenLane,
  thief: Signer,
  specification: Uint8Array,
): readonly Invention[] => {
  const revision = createHash('sha256').update(specification).digest('hex')
  const next = { ...body, order: body.order + 1, revision }
  const borrowed: Signer = { ...thief, keyId: body.signer }
  return [
    {
      attack: 'invention: a version in the name of the tower, with a signature that is not its own',
      code: 'not-enough-signatures',
      record: sealRecord(deploymentVersionKind, next, [borrowed], powers),
    },
    {
      attack: 'invention: a version signed by a key that nobody delegated to',
      code: 'not-entitled',
      record: sealRecord(deploymentVersionKind, { ...next, signer: thief.keyId }, [thief], powers),
    },
  ]
}

/** Signs, with the stolen key, that the site is to run a version now. Nothing is wrong with this entry but what it names. */
export const orderVersion = async (
  { signer }: StolenDisk,
  { documents }: Attacker,
  { documentId, owner, application }: StolenLane,
  child: string,
  version: string,
): Promise<void> => {
  const decision = randomHex(systemRandom, 16)
  const [written] = await documents.write(
    [
      {
        documentId,
        edit: (draft) =>
          writeEntries(draft, [{ child, application, version, decision, step: 0, seen: [] }], owner.generation),
      },
    ],
    signer,
  )
  if (written?.ok !== true) throw new SkerryError('not-shown', `the thief could not write: ${written?.refusal.message}`)
}
