import { cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { silentLog } from '../../../base/index.ts'
import {
  createBook,
  createDocuments,
  createNodeSignatures,
  formatLaneName,
  laneOwner,
  nodeHash,
  openEnvelope,
} from '../../../crdt/index.ts'
import { createLevelStore } from '../../../crdt/store/level/index.ts'
import { systemRandom } from './system-chance.ts'
import type { HeldLane } from './tree-judge.ts'
import { ownDir, type TreeScene } from './tree-scene.ts'

const powers = { signatures: createNodeSignatures(), hash: nodeHash }

/** Opens a copy of one node's store, as its program would, and reads every lane. */
const readStore = async (node: string, store: string): Promise<readonly HeldLane[]> => {
  const copy = join(ownDir, `store-${node}`)
  rmSync(copy, { recursive: true, force: true })
  cpSync(store, copy, { recursive: true })
  const level = createLevelStore(copy, { log: silentLog })
  await level.open()
  try {
    const book = createBook({ store: level, powers, log: silentLog })
    await book.open()
    const networkId = book.networkId() ?? ''
    const documents = createDocuments({
      store: level,
      networkId: () => networkId,
      powers,
      random: systemRandom,
      log: silentLog,
    })
    await documents.open()
    const lanes: HeldLane[] = []
    for (const id of documents.ids()) {
      const epoch = documents.epochOf(id)
      if (epoch === undefined) continue
      const wanted = laneOwner(epoch.lane)
      const owner =
        wanted === undefined
          ? undefined
          : 'tenant' in wanted
            ? book.owner(wanted.tenant)
            : wanted.roles.map((role) => book.ownerAt(wanted.scope, role)).find((one) => one !== undefined)
      const hashes = await documents.hashes(id)
      const bytes = await documents.envelopes(id, new Set(hashes))
      const unentitled = bytes.flatMap((one) => {
        const opened = openEnvelope(one, epoch.place, powers)
        if (!opened.ok) return [opened.refusal.code]
        return owner?.keys.has(opened.envelope.author) === true
          ? []
          : [`${opened.envelope.hash} by no key of the owner`]
      })
      const standing = [...(await documents.standing(id))].map(([key, puts]) => [key, puts.map(({ value }) => value)])
      lanes.push({
        node,
        lane: formatLaneName(epoch.lane),
        envelopes: hashes,
        standing: JSON.stringify(standing),
        unentitled,
      })
    }
    await documents.close()
    return lanes
  } finally {
    await level.close()
    rmSync(copy, { recursive: true, force: true })
  }
}

/** Every lane of every store of the tree, whose nodes do not run. */
export const readStores = async ({ world }: TreeScene): Promise<readonly HeldLane[]> => {
  const all: HeldLane[] = []
  for (const node of world.nodes()) {
    const store = join(node['data-dir'], 'data', 'store')
    if (existsSync(store)) all.push(...(await readStore(node.name, store)))
  }
  return all
}
