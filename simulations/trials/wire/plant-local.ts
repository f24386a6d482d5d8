import { errorText } from '../../../base/index.ts'
import type { CanaryRegister } from './canary-register.ts'
import { deploy, importImage } from './plant.ts'
import { asked, readDisk, type WireNode, type WireTree } from './wire-tree.ts'

/** What the operators of one zone plant by themselves. */
interface ZonePlants {
  readonly at: WireNode
  readonly application: string
}

/** What every zone changed by itself, and why some could not. */
export interface LocalPlants {
  readonly planted: readonly ZonePlants[]
  readonly refused: readonly string[]
}

/**
 * At every aggregator: an image, an application of it and a deployment, by the API of that node. A zone without the tenant's
 * delegation is refused; nothing is planted there.
 */
export const plantLocally = async (tree: WireTree, register: CanaryRegister): Promise<LocalPlants> => {
  const planted: ZonePlants[] = []
  const refused: string[] = []
  for (const at of tree.nodes.filter(({ place }) => place.role === 'aggregator')) {
    const { scope } = at.place
    const plant = (kind: Parameters<CanaryRegister['plant']>[0]['kind'], what: string) =>
      register.plant({ kind, scope, what })
    const words = {
      application: plant('names', 'application of a zone'),
      deployment: plant('names', 'deployment of a zone'),
      image: plant('reports', 'image of an application of a zone, in a report'),
      placement: plant('intents', 'placement of a deployment of a zone'),
      environment: plant('blobs', 'specification of an application of a zone'),
      file: plant('blobs', 'file in a layer of a zone'),
      user: plant('changes-author', 'person who changed something in a zone'),
    }
    try {
      await importImage(tree, at, words)
      await deploy(
        at,
        { ...words, name: words.application, version: '1', command: 'say hello from a zone' },
        {
          deployment: words.deployment,
          placement: `system/type = edge or city.example/nothing = ${words.placement}`,
          user: words.user,
        },
      )
      planted.push({ at, application: words.application })
    } catch (error) {
      register.forget(Object.values(words))
      refused.push(`${scope}: ${errorText(error)}`)
    }
  }
  return { planted, refused }
}

/** The first host at which what its zone wanted does not run yet, in words; undefined when it runs everywhere. */
export const lacksLocally = async (tree: WireTree, { planted }: LocalPlants): Promise<string | undefined> => {
  for (const { at, application } of planted)
    for (const { node, place } of tree.nodes) {
      if (place.role !== 'edge' || !place.scope.startsWith(`${at.place.scope}/`)) continue
      const instances = await node.services.state.serviceInstances(application, asked)
      if (!instances?.some(({ ready }) => ready)) return `${application} of ${at.place.scope} at ${place.scope}`
    }
  return undefined
}

const signatureBytes = 64

/**
 * Signatures of the changes each zone wrote into its own `local` lane: what tells the author apart, wherever an envelope
 * goes.
 */
export const nameSignatures = async (
  { planted }: LocalPlants,
  register: CanaryRegister,
): Promise<ReadonlyMap<string, Uint8Array>> => {
  const keys = new Map<string, Uint8Array>()
  for (const { at } of planted) {
    // Of the lanes of zones right below the node holds copies.
    const own = `"lane":"local/${at.place.scope.replaceAll('/', '.')}/`
    const lanes = new Set<string>()
    const envelopes: { readonly document: string; readonly bytes: Uint8Array }[] = []
    for await (const { where, bytes } of readDisk(at)) {
      const [, document = '', part = ''] = /^store d\/([0-9a-f]{32})\/([eg])\//.exec(where) ?? []
      if (part === 'g' && Buffer.from(bytes).includes(own)) lanes.add(document)
      if (part === 'e' && bytes.length > 2 * signatureBytes) envelopes.push({ document, bytes })
    }
    for (const [index, { document, bytes }] of envelopes.entries()) {
      if (!lanes.has(document)) continue
      const needle = `signature ${index} of ${at.place.scope}`
      keys.set(needle, bytes.slice(-signatureBytes))
      register.name(needle, { kind: 'changes-author', scope: at.place.scope, what: 'signature of a change in a zone' })
    }
  }
  return keys
}
