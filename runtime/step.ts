import type { ContainerOwner, ContainerSpec, NetworkSpec } from './containers.ts'
import type { DesiredImage } from './desired.ts'

/** One thing that is safe to do now. Plain data; nothing is left to choose when it runs. */
export type Step =
  | { readonly kind: 'fetch-image'; readonly image: DesiredImage }
  | { readonly kind: 'attach-network'; readonly network: NetworkSpec }
  | {
      readonly kind: 'detach-network'
      readonly tenant: string
      readonly instance: string
      readonly networkHash: string
      readonly reason: string
    }
  | {
      readonly kind: 'start-container'
      readonly owner: ContainerOwner
      readonly spec: ContainerSpec
      /** Manifest digest the image must have, where the revision pins one. */
      readonly imageDigest?: string
    }
  | {
      readonly kind: 'remove-container'
      readonly id: string
      readonly owner: ContainerOwner
      readonly shutdownTimeoutMs: number
      readonly reason: string
    }

const named = (owner: ContainerOwner): string => `${owner.instance}/${owner.container}`

const portsText = ({ ports }: NetworkSpec): string =>
  ports.length === 0
    ? ''
    : ` (host port${ports.length === 1 ? '' : 's'} ${ports.map(({ hostPort }) => hostPort).join(', ')})`

/** One English line; tests, logs and the command line print the same. */
export const describe = (step: Step): string => {
  switch (step.kind) {
    case 'fetch-image':
      return `fetch image ${step.image.name}`
    case 'attach-network':
      return `attach network ${step.network.instance}${portsText(step.network)}`
    case 'detach-network':
      return `detach network ${step.instance}: ${step.reason}`
    case 'start-container':
      return `start ${named(step.owner)}`
    case 'remove-container':
      return `remove ${named(step.owner)}: ${step.reason}`
  }
}

/**
 * What a failure of the step is remembered under. It holds the hash of what was tried: a changed specification
 * starts with a clean record.
 */
export const failureKeyOf = (step: Step): string => {
  switch (step.kind) {
    case 'fetch-image':
      return `fetch ${step.image.name} ${step.image.digest}`
    case 'attach-network':
      return `attach ${step.network.instance} ${step.network.networkHash}`
    case 'detach-network':
      return `detach ${step.instance} ${step.networkHash}`
    case 'start-container':
      return `start ${named(step.owner)} ${step.owner.specHash}`
    case 'remove-container':
      return `remove ${step.id}`
  }
}

/** What a step acts on. Two steps that overlap never run at the same time. */
export interface StepTarget {
  readonly kind: 'image' | 'network' | 'container'
  readonly name: string
  readonly instance?: string
}

export const targetOf = (step: Step): StepTarget => {
  switch (step.kind) {
    case 'fetch-image':
      return { kind: 'image', name: step.image.name }
    case 'attach-network':
      return { kind: 'network', name: step.network.instance, instance: step.network.instance }
    case 'detach-network':
      return { kind: 'network', name: step.instance, instance: step.instance }
    case 'start-container':
    case 'remove-container':
      return { kind: 'container', name: named(step.owner), instance: step.owner.instance }
  }
}

/** The network of an instance and its containers exclude each other; so does the same thing twice. */
export const overlaps = (a: StepTarget, b: StepTarget): boolean =>
  (a.kind === b.kind && a.name === b.name) ||
  (a.instance !== undefined && a.instance === b.instance && (a.kind === 'network' || b.kind === 'network'))
