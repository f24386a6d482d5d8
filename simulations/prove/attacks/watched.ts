import type { StoreChange } from '../../../crdt/index.ts'
import type { MeshLink, MeshStream } from '../../../mesh/index.ts'
import type { NodePowers } from '../../../node/index.ts'

/** Hears of each value a node writes to its store. */
export const watchStore = (
  powers: NodePowers,
  see: (change: Extract<StoreChange, { kind: 'put' }>) => void,
): NodePowers => {
  const { store } = powers
  return {
    ...powers,
    store: {
      open: () => store.open(),
      close: () => store.close(),
      get: (key) => store.get(key),
      scan: (range) => store.scan(range),
      write: async (batch, options) => {
        await store.write(batch, options)
        for (const change of batch) if (change.kind === 'put') see(change)
      },
    },
  }
}

/** Hears of each link a node makes to its parent. */
export const watchLinks = (powers: NodePowers, see: (link: MeshLink) => void): NodePowers => ({
  ...powers,
  openMesh: (identity) => {
    const mesh = powers.openMesh(identity)
    return {
      start: () => mesh.start(),
      stop: () => mesh.stop(),
      addresses: () => mesh.addresses(),
      onLink: (accept) => mesh.onLink(accept),
      onStream: (link, accept) => mesh.onStream(link, accept),
      dial: async (address, options) => {
        const link = await mesh.dial(address, options)
        see(link)
        return link
      },
    }
  },
})

/** Hears of the stream by which a node keeps its documents the same as its parent, each time it is made. */
export const watchDocuments = (powers: NodePowers, see: (stream: MeshStream) => void): NodePowers => ({
  ...powers,
  openMesh: (identity) => {
    const mesh = powers.openMesh(identity)
    const watched = (link: MeshLink): MeshLink =>
      new Proxy(link, {
        get: (target, key, receiver) =>
          key === 'openStream'
            ? async (...[purpose, options]: Parameters<MeshLink['openStream']>) => {
                const stream = await target.openStream(purpose, options)
                if (purpose === 'documents') see(stream)
                return stream
              }
            : Reflect.get(target, key, receiver),
      })
    return {
      start: () => mesh.start(),
      stop: () => mesh.stop(),
      addresses: () => mesh.addresses(),
      onLink: (accept) => mesh.onLink(accept),
      onStream: (link, accept) => mesh.onStream(link, accept),
      dial: async (address, options) => watched(await mesh.dial(address, options)),
    }
  },
})

/** Hears of each stream by which a child keeps its documents the same. */
export const watchChildren = (powers: NodePowers, see: (link: MeshLink, stream: MeshStream) => void): NodePowers => ({
  ...powers,
  openMesh: (identity) => {
    const mesh = powers.openMesh(identity)
    return {
      start: () => mesh.start(),
      stop: () => mesh.stop(),
      addresses: () => mesh.addresses(),
      dial: (address, options) => mesh.dial(address, options),
      onLink: (accept) => mesh.onLink(accept),
      onStream: (link, accept) =>
        mesh.onStream(link, (stream) => {
          if (stream.purpose === 'documents') see(link, stream)
          accept(stream)
        }),
    }
  },
})

/** Does something again and again for as long as the process runs. */
export const every = ({ clock }: Pick<NodePowers, 'clock'>, ms: number, act: () => void): void =>
  void clock.setTimer(ms, () => {
    act()
    every({ clock }, ms, act)
  })
