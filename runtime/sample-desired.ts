import type { ContainerOwner, ContainerSpec, ObservedContainer, ObservedHost, ObservedNetwork } from './containers.ts'
import type { DesiredApplication, DesiredContainer, DesiredImage, DesiredInstance } from './desired.ts'

/** Builders for tests: each sets only what the test is about. */
export const sampleSpec = (part: Partial<ContainerSpec> = {}): ContainerSpec => ({
  image: 'web:1',
  env: {},
  mounts: [],
  shutdownTimeoutMs: 1_000,
  logSizeBytes: 65_536,
  ...part,
})

export const sampleImage = (name: string): DesiredImage => ({ name, digest: `sha256:${name}`, archive: `tar-${name}` })

/** A container whose hash follows its image and `change`. */
export const sampleContainer = (
  part: Partial<Omit<DesiredContainer, 'spec'>> & {
    readonly spec?: Partial<ContainerSpec>
    readonly change?: string
  } = {},
): DesiredContainer => {
  const { spec: specPart, change = '', ...rest } = part
  const spec = sampleSpec(specPart)
  return { name: 'web', spec, specHash: `spec-${spec.image}-${change}`, probes: {}, ...rest }
}

export const sampleInstance = (part: Partial<DesiredInstance> = {}): DesiredInstance => ({
  id: 'web.shop-1',
  service: 'shop',
  ingress: [],
  networkHash: `net-${(part.ingress ?? []).map(({ port }) => port).join('-')}`,
  containers: [sampleContainer()],
  ...part,
})

/** An application that names the images its containers use. */
export const sampleApplication = (part: Partial<DesiredApplication> = {}): DesiredApplication => {
  const instances = part.instances ?? [sampleInstance()]
  const names = instances.flatMap(({ containers }) => containers.map(({ spec }) => spec.image))
  return {
    tenant: 'acme',
    application: 'web',
    version: '1',
    revision: 'revision-1',
    deployment: 'web',
    phase: 'run',
    instances,
    images: [...new Set(names)].map(sampleImage),
    ...part,
  }
}

export const ownerOf = (
  app: DesiredApplication,
  instance: DesiredInstance,
  container: DesiredContainer,
): ContainerOwner => ({
  tenant: app.tenant,
  application: app.application,
  service: instance.service,
  instance: instance.id,
  container: container.name,
  version: app.version,
  revision: app.revision,
  specHash: container.specHash,
})

export const sampleNetwork = (
  app: DesiredApplication,
  { id, networkHash }: DesiredInstance,
  part: Partial<ObservedNetwork> = {},
): ObservedNetwork => ({
  instance: id,
  tenant: app.tenant,
  networkHash,
  state: 'attached',
  addresses: [],
  ports: [],
  ...part,
})

/** A host that runs `app` whole. `change` alters each container as it is observed. */
export const hostRunning = (
  app: DesiredApplication,
  change: (container: ObservedContainer) => ObservedContainer = (container) => container,
): ObservedHost => ({
  containers: app.instances.flatMap((instance) =>
    instance.containers.map((container) =>
      change({
        id: `id-${instance.id}-${container.name}`,
        owner: ownerOf(app, instance, container),
        state: 'running',
        imageDigest: `sha256:${container.spec.image}`,
        pid: 100,
      }),
    ),
  ),
  networks: app.instances.map((instance) => sampleNetwork(app, instance)),
  images: app.images.map(({ name, digest }) => ({ name, digest, sizeBytes: 1, runsAsProcess: true })),
})
