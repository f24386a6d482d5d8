import type { ObservedContainer, ObservedHost, ObservedImage, ObservedNetwork } from './containers.ts'

/** What a step that succeeded made true, so that planning goes on before the next list. */
export type Effect =
  | { readonly kind: 'images'; readonly images: readonly ObservedImage[] }
  | { readonly kind: 'network'; readonly network: ObservedNetwork }
  | { readonly kind: 'no-network'; readonly tenant: string; readonly instance: string }
  | { readonly kind: 'container'; readonly container: ObservedContainer }
  | { readonly kind: 'no-container'; readonly id: string }

/**
 * The host after `effect`. A container the list knows keeps what the list says of it, because the list may be younger;
 * except `created`, which is what a list sees while a start is under way.
 */
export const applyEffect = (host: ObservedHost, effect: Effect): ObservedHost => {
  switch (effect.kind) {
    case 'images': {
      const names = new Set(effect.images.map(({ name }) => name))
      return { ...host, images: [...host.images.filter(({ name }) => !names.has(name)), ...effect.images] }
    }
    case 'network': {
      const { tenant, instance } = effect.network
      const others = host.networks.filter((one) => one.tenant !== tenant || one.instance !== instance)
      return { ...host, networks: [...others, effect.network] }
    }
    case 'no-network':
      return {
        ...host,
        networks: host.networks.filter((one) => one.tenant !== effect.tenant || one.instance !== effect.instance),
      }
    case 'container':
      return host.containers.some(({ id, state }) => id === effect.container.id && state !== 'created')
        ? host
        : {
            ...host,
            containers: [...host.containers.filter(({ id }) => id !== effect.container.id), effect.container],
          }
    case 'no-container':
      return { ...host, containers: host.containers.filter(({ id }) => id !== effect.id) }
  }
}
