import { canonicalJson, parseDurationMs, parseSizeBytes } from '../../../base/index.ts'
import type {
  ConfigMount,
  ContainerSpec,
  DesiredApplication,
  DesiredContainer,
  DesiredImage,
  DesiredInstance,
  ProbeSpec,
} from '../../../runtime/index.ts'
import type { IntendedApplication } from './intent.ts'
import type { SitePlace } from './placement.ts'
import { parsePortRanges } from './port-ranges.ts'
import { type Hash, imageNames } from './revision.ts'
import type { ContainerFields, MountFields, ProbeFields, ServiceSpec } from './specification.ts'
import { spreadInstances } from './spread.ts'

/** What a field means when it is absent. A change here restarts containers on every site that relies on it. */
const defaults = {
  shutdownTimeoutMs: 10_000,
  logSizeBytes: 10_000_000,
  /** As in Kubernetes: core/v1 Probe. */
  probe: { initialDelayMs: 0, periodMs: 10_000, timeoutMs: 1_000, failureThreshold: 3, successThreshold: 1 },
} as const

const optionalMs = (text: string | undefined, elseMs: number) => (text === undefined ? elseMs : parseDurationMs(text))

const probeSpec = (probe: ProbeFields): ProbeSpec => ({
  check: probe.exec
    ? { kind: 'exec', args: probe.exec.cmd }
    : probe.http
      ? { kind: 'http', port: probe.http.port, path: probe.http.path ?? '/' }
      : { kind: 'tcp', port: probe.tcp?.port ?? 0 },
  initialDelayMs: optionalMs(probe['initial-delay'], defaults.probe.initialDelayMs),
  periodMs: optionalMs(probe.period, defaults.probe.periodMs),
  timeoutMs: optionalMs(probe.timeout, defaults.probe.timeoutMs),
  failureThreshold: probe['failure-threshold'] ?? defaults.probe.failureThreshold,
  successThreshold: probe['success-threshold'] ?? defaults.probe.successThreshold,
})

const probesOf = (probes: ContainerFields['probes']): DesiredContainer['probes'] => ({
  ...(probes?.startup && { startup: probeSpec(probes.startup) }),
  ...(probes?.readiness && { readiness: probeSpec(probes.readiness) }),
  ...(probes?.liveness && { liveness: probeSpec(probes.liveness) }),
})

const mountsOf = (mount: MountFields, service: ServiceSpec): readonly ConfigMount[] => {
  const items = service.volumes?.find(({ name }) => name === mount['volume-name'])?.['config-map'].items ?? []
  const files = Object.fromEntries(items.map(({ name, data }) => [name, data]))
  if (mount['mount-path'] !== undefined) return [{ kind: 'directory', path: mount['mount-path'], files }]
  return (mount.files ?? []).map((file) => ({ kind: 'file', path: file['mount-path'], data: files[file.name] ?? '' }))
}

const userOf = (user: string) => {
  const [uid, gid] = user.split(':').map(Number)
  return { uid: uid ?? 0, gid: gid ?? 0 }
}

/** What the driver is told to start: units resolved, files filled in, defaults applied. */
export const containerSpec = (container: ContainerFields, service: ServiceSpec): ContainerSpec => ({
  image: container.image,
  ...(container.entrypoint && { entrypoint: container.entrypoint }),
  ...(container.cmd && { cmd: container.cmd }),
  env: container.env ?? {},
  ...(container.user !== undefined && { user: userOf(container.user) }),
  ...(container.memory !== undefined && { memoryBytes: parseSizeBytes(container.memory) }),
  ...(container.cpus !== undefined && { cpuMillis: Math.round(container.cpus * 1000) }),
  mounts: (container.mounts ?? []).flatMap((mount) => mountsOf(mount, service)),
  shutdownTimeoutMs: optionalMs(container['shutdown-timeout'], defaults.shutdownTimeoutMs),
  logSizeBytes:
    container['container-log-size'] === undefined
      ? defaults.logSizeBytes
      : parseSizeBytes(container['container-log-size']),
})

const desiredContainer = (
  container: ContainerFields,
  service: ServiceSpec,
  images: readonly DesiredImage[],
  hash: Hash,
): DesiredContainer => {
  const spec = containerSpec(container, service)
  const imageDigest = images.find(({ name }) => name === container.image)?.digest ?? ''
  return {
    name: container.name,
    spec,
    specHash: hash(canonicalJson({ format: 1, spec, imageDigest })),
    probes: probesOf(container.probes),
  }
}

/** Ports of each instance that can be reached from outside, sorted. */
export const ingressOf = (service: ServiceSpec): DesiredInstance['ingress'] =>
  (service.network?.['ingress-ip-per-instance']?.protocols ?? [])
    .flatMap(({ name, 'port-ranges': ranges }) => {
      const ports = parsePortRanges(ranges)
      return 'message' in ports ? [] : ports.map((port) => ({ protocol: name, port }))
    })
    .toSorted((a, b) => (a.protocol === b.protocol ? a.port - b.port : a.protocol < b.protocol ? -1 : 1))

export interface DesiredQuestion {
  readonly intended: IntendedApplication
  readonly place: SitePlace
  /** Name of the host that asks. */
  readonly host: string
  readonly hash: Hash
}

/**
 * What one host is to do for one application. Every host of a site computes its own share from the same intent and
 * the same place, so no two need to speak; an application with no instance here still says so.
 */
export const desiredForHost = ({ intended, place, host, hash }: DesiredQuestion): DesiredApplication => {
  const { tenant, application, version, revision, deployment, phase } = intended
  const head = { tenant, application, version, revision, deployment, phase }
  if (intended.phase === 'retired') return { ...head, instances: [], images: [] }
  const { spec, images } = intended
  const here = spreadInstances(spec, place, hash).filter((instance) => instance.host === host)
  const services = spec.services.filter(({ name }) => here.some(({ service }) => service === name))
  const used = imageNames({ ...spec, services })
  const instances = here.flatMap(({ id, service: name }): DesiredInstance[] => {
    const service = services.find((candidate) => candidate.name === name)
    if (!service) return []
    const ingress = ingressOf(service)
    return [
      {
        id,
        service: name,
        ingress,
        networkHash: hash(canonicalJson({ format: 1, ingress })),
        containers: service.containers.map((container) => desiredContainer(container, service, images, hash)),
      },
    ]
  })
  return { ...head, instances, images: images.filter(({ name }) => used.includes(name)) }
}
