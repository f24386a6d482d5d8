import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SkerryError, silentLog } from '../../base/index.ts'
import {
  type AuthorityPowers,
  type Book,
  createBook,
  createNodeSignatures,
  type DeploymentVersion,
  fromHex,
  nodeHash,
  type SignedRecord,
  type Signer,
  type Store,
} from '../../crdt/index.ts'
import { createLevelStore } from '../../crdt/store/level/index.ts'
import { type BlobStore, createBlobStore, systemRandom } from '../../node/powers/index.ts'
import { parseTopology, type Topology } from '../../topologies/index.ts'
import type { DemoNode } from './world.ts'

/** What is on the disk of a node that was copied while it did not run: everything the node itself knows. */
export interface StolenDisk {
  readonly seed: Uint8Array
  readonly signer: Signer
  readonly networkId: string
  readonly topology: Topology
  readonly store: Store
  readonly book: Book
  readonly blobs: BlobStore
  readonly powers: AuthorityPowers
  /** Closes it and removes the copy. */
  close(): Promise<void>
}

/**
 * Copies the folder of a node that does not run and opens the copy.
 * @param home folder of the demo, in which the copy lies
 */
export const stealDisk = async (home: string, node: DemoNode): Promise<StolenDisk> => {
  const folder = join(home, `stolen-${node.name}`)
  const remove = () => rmSync(folder, { recursive: true, force: true })
  remove()
  try {
    cpSync(node['data-dir'], folder, { recursive: true })
    const powers = { signatures: createNodeSignatures(), hash: nodeHash }
    const key = JSON.parse(readFileSync(join(folder, 'data', 'key.json'), 'utf8')) as { value: { seed: string } }
    const seed = fromHex(key.value.seed)
    const path = join(folder, 'topology.yaml')
    const topology = parseTopology(readFileSync(path, 'utf8'), path)
    const store = createLevelStore(join(folder, 'data', 'store'), { log: silentLog })
    await store.open()
    const book = createBook({ store, powers, log: silentLog })
    await book.open()
    const networkId = book.networkId()
    if (networkId === undefined) throw new SkerryError('not-shown', `${node.name} was never a member`)
    return {
      seed,
      signer: powers.signatures.signer(seed),
      networkId,
      topology,
      store,
      book,
      blobs: createBlobStore(join(folder, 'data', 'archives'), systemRandom),
      powers,
      close: async () => {
        await store.close()
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}

/** The signed deployment versions on a disk, the lowest order first. */
export const versionsOnDisk = async ({
  store,
  book,
}: StolenDisk): Promise<readonly SignedRecord<DeploymentVersion>[]> => {
  const prefix = 'r/deployment-version/'
  const found: SignedRecord<DeploymentVersion>[] = []
  for await (const { key } of store.scan({ prefix })) {
    const record = book.version(key.slice(prefix.length))
    if (record !== undefined) found.push(record)
  }
  return found.toSorted((a, b) => a.body.order - b.body.order)
}
