import type { ContainerOwner } from '../containers.ts'

/**
 * The labels of containers, format 1. They are the only memory of who wants a container that survives us, so keys and
 * meanings stay for good; a change that a reader of format 1 would misread is format 2, which format 1 leaves alone.
 *
 * | label | holds |
 * | --- | --- |
 * | `skerry/v` | the format, `1` |
 * | `skerry/node` | the node that made it; a node touches nothing else |
 * | `skerry/tenant` `skerry/application` `skerry/service` `skerry/instance` `skerry/container` | who wants it |
 * | `skerry/version` | the application's version as people write it; may be empty |
 * | `skerry/revision` | hash of the application revision it was started from |
 * | `skerry/spec` | hash of all that makes this one container |
 * | `skerry/image` | digest of its image's manifest |
 * | `skerry/stop-signal` | number of the polite signal; absent for SIGTERM |
 */
const format = '1'

const keys = {
  tenant: 'skerry/tenant',
  application: 'skerry/application',
  service: 'skerry/service',
  instance: 'skerry/instance',
  container: 'skerry/container',
  version: 'skerry/version',
  revision: 'skerry/revision',
  specHash: 'skerry/spec',
} as const satisfies Record<keyof ContainerOwner, string>

export type Labels = Readonly<Record<string, string>>

/** What the labels of one of our containers say. */
export interface LabelledContainer {
  readonly node: string
  readonly owner: ContainerOwner
  readonly imageDigest: string
  readonly stopSignal: number
}

const sigterm = 15

export const containerLabels = ({ node, owner, imageDigest, stopSignal }: LabelledContainer): Labels => ({
  'skerry/v': format,
  'skerry/node': node,
  ...Object.fromEntries(Object.entries(keys).map(([field, key]) => [key, owner[field as keyof ContainerOwner]])),
  'skerry/image': imageDigest,
  ...(stopSignal === sigterm ? {} : { 'skerry/stop-signal': String(stopSignal) }),
})

/** `ours`, or why a container is left alone: another's, made by a newer version of us, or ours but unreadable. */
export type LabelReading =
  | { readonly kind: 'ours'; readonly container: LabelledContainer }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'newer'; readonly format: string }
  | { readonly kind: 'damaged'; readonly missing: string }

export const readLabels = (labels: Labels, node: string): LabelReading => {
  const found = labels['skerry/v']
  if (found === undefined || labels['skerry/node'] !== node) return { kind: 'foreign' }
  if (found !== format) return { kind: 'newer', format: found }
  const missing = [...Object.values(keys), 'skerry/image'].find((key) => labels[key] === undefined)
  if (missing !== undefined) return { kind: 'damaged', missing }
  const value = (field: keyof ContainerOwner) => labels[keys[field]] ?? ''
  const owner = {
    tenant: value('tenant'),
    application: value('application'),
    service: value('service'),
    instance: value('instance'),
    container: value('container'),
    version: value('version'),
    revision: value('revision'),
    specHash: value('specHash'),
  }
  const stopSignal = Number(labels['skerry/stop-signal'] ?? sigterm)
  const imageDigest = labels['skerry/image'] ?? ''
  return { kind: 'ours', container: { node, owner, imageDigest, stopSignal } }
}

/** Filters of containerd: every container of the node; with a name, those one owner may have. */
export const nodeFilter = (node: string, of?: Pick<ContainerOwner, 'instance' | 'container'>): string =>
  [
    `labels."skerry/node"==${JSON.stringify(node)}`,
    ...(of ? [`labels."${keys.instance}"==${JSON.stringify(of.instance)}`] : []),
    ...(of ? [`labels."${keys.container}"==${JSON.stringify(of.container)}`] : []),
  ].join(',')

/** Labels of an image that was imported and unpacked. Only a cache of what the image itself says. */
export const imageLabels = (node: string, sizeBytes: number, runsAsProcess: boolean): Labels => ({
  'skerry/v': format,
  'skerry/node': node,
  'skerry/size': String(sizeBytes),
  'skerry/process': String(runsAsProcess),
})
