/**
 * The containerd driver: real containers, their networks, logs and limits on one Linux host.
 * Must not decide what should run, touch a container without this node's label, or reconfigure an engine it found.
 * Read first: containerd-containers.ts, labels.ts.
 */
export { createContainerdContainers } from './containerd-containers.ts'
export type { ContainerdPowers } from './containerd-engine.ts'
export type { ContainerdOptions } from './containerd-options.ts'
export { destroyContainerd, type Remains } from './destroy-containerd.ts'
