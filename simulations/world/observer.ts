import type { LogLine } from '../../base/index.ts'
import type { ContainerSpec, Containers, ObservedContainer } from '../../runtime/index.ts'
import type { DiskWrite } from './disk.ts'
import type { PassingFrame } from './wire.ts'

/** What a node had its container engine do. */
export type ContainerAct =
  | { readonly kind: 'start'; readonly container: ObservedContainer; readonly spec: ContainerSpec }
  | { readonly kind: 'remove'; readonly id: string }
  | { readonly kind: 'import' | 'remove-image' | 'attach' | 'detach'; readonly what: string }

/** Sees everything in a world from outside, at the moment it happens. Must not change anything. */
export interface Observer {
  readonly frame?: (passing: PassingFrame) => void
  readonly write?: (machine: string, write: DiskWrite) => void
  readonly act?: (machine: string, act: ContainerAct) => void
  readonly log?: (machine: string, line: LogLine) => void
  /** A node's process ended by itself, with an error. */
  readonly died?: (machine: string, error: unknown) => void
  readonly afterEvent?: () => void
}

/** The same engine; `note` hears of each act once it is done, of a removal before it is. */
export const observeContainers = (engine: Containers, note: (act: ContainerAct) => void): Containers => ({
  ...engine,
  startContainer: async (owner, spec) => {
    const container = await engine.startContainer(owner, spec)
    note({ kind: 'start', container, spec })
    return container
  },
  removeContainer: (id, options) => {
    note({ kind: 'remove', id })
    return engine.removeContainer(id, options)
  },
  importImage: async (path) => {
    const images = await engine.importImage(path)
    note({ kind: 'import', what: path })
    return images
  },
  removeImage: async (name) => {
    await engine.removeImage(name)
    note({ kind: 'remove-image', what: name })
  },
  attachNetwork: async (spec) => {
    const network = await engine.attachNetwork(spec)
    note({ kind: 'attach', what: spec.instance })
    return network
  },
  detachNetwork: async (tenant, instance) => {
    await engine.detachNetwork(tenant, instance)
    note({ kind: 'detach', what: instance })
  },
})
