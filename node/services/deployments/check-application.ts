import { canonicalJson, formatSize } from '../../../base/index.ts'
import type { FieldPath } from '../../../topologies/index.ts'
import type { Finding } from './find-problems.ts'
import { parsePortRanges } from './port-ranges.ts'
import type { ApplicationSpec, ContainerFields, MountFields, ProbeFields, ServiceSpec } from './specification.ts'
import { builtInVariable } from './unsupported-fields.ts'

/** Canonical bytes of a whole application: it travels to every site that runs it. */
export const maxApplicationBytes = 256 * 1024
/** Bytes of one file of a config-map. */
export const maxConfigFileBytes = 64 * 1024

const bytesOf = (text: string) => new TextEncoder().encode(text).length

const finding = (path: FieldPath, message: string, suggestion?: string): Finding => ({
  path,
  at: 'value',
  message,
  ...(suggestion !== undefined && { suggestion }),
})

/** Names used more than once, each at its second place. */
const twice = (names: readonly (string | undefined)[], pathOf: (at: number) => FieldPath, kind: string): Finding[] =>
  names.flatMap((name, at) =>
    name !== undefined && names.indexOf(name) < at
      ? [finding(pathOf(at), `there is another ${kind} ${JSON.stringify(name)}`, 'give each its own')]
      : [],
  )

const checkProbe = (probe: ProbeFields, path: FieldPath, kind: string): Finding[] => {
  const checks = (['exec', 'http', 'tcp'] as const).filter((check) => probe[check] !== undefined)
  const found: Finding[] = []
  if (checks.length !== 1)
    found.push(finding(path, `needs exactly one of exec, http and tcp, but has ${checks.join(' and ') || 'none'}`))
  if (kind !== 'readiness' && (probe['success-threshold'] ?? 1) !== 1)
    found.push(
      finding([...path, 'success-threshold'], `must be 1 for a ${kind} probe`, 'only readiness may ask for more'),
    )
  return found
}

const checkMount = (mount: MountFields, service: ServiceSpec, path: FieldPath): Finding[] => {
  const found: Finding[] = []
  if ((mount['mount-path'] === undefined) === (mount.files === undefined))
    found.push(finding(path, 'needs exactly one of mount-path and files'))
  const volume = service.volumes?.find(({ name }) => name === mount['volume-name'])
  if (!volume) {
    const known = (service.volumes ?? []).map(({ name }) => name).join(', ')
    const suggestion = known === '' ? 'this service has no volumes' : `volumes of this service: ${known}`
    found.push(finding([...path, 'volume-name'], `no volume ${JSON.stringify(mount['volume-name'])}`, suggestion))
    return found
  }
  const held = volume['config-map'].items.map(({ name }) => name)
  mount.files?.forEach(({ name }, at) => {
    if (!held.includes(name))
      found.push(
        finding(
          [...path, 'files', at, 'name'],
          `volume ${volume.name} has no file ${JSON.stringify(name)}`,
          `it has ${held.join(', ')}`,
        ),
      )
  })
  return found
}

const mountPlaces = (container: ContainerFields, path: FieldPath): { path: FieldPath; at: string }[] =>
  (container.mounts ?? []).flatMap((mount, index) => [
    ...(mount['mount-path'] === undefined
      ? []
      : [{ path: [...path, 'mounts', index, 'mount-path'], at: mount['mount-path'] }]),
    ...(mount.files ?? []).map((file, at) => ({
      path: [...path, 'mounts', index, 'files', at, 'mount-path'],
      at: file['mount-path'],
    })),
  ])

const mountClashes = (container: ContainerFields, path: FieldPath): Finding[] => {
  const places = mountPlaces(container, path)
  return places.flatMap((place, index) => {
    const other = places
      .slice(0, index)
      .find(({ at }) => at === place.at || `${place.at}/`.startsWith(`${at}/`) || at.startsWith(`${place.at}/`))
    return other
      ? [finding(place.path, `clashes with the mount at ${other.at}`, 'mount side by side, not one inside the other')]
      : []
  })
}

const variableIn = (text: string, path: FieldPath): Finding[] => {
  const used = builtInVariable.exec(text)?.[1]
  return used === undefined
    ? []
    : [finding(path, `the variable \${${used}} is not supported yet`, 'it would reach the container as it is written')]
}

const checkContainer = (container: ContainerFields, service: ServiceSpec, path: FieldPath): Finding[] => [
  ...Object.entries(container.env ?? {}).flatMap(([name, value]) => variableIn(value, [...path, 'env', name])),
  ...[...(container.entrypoint ?? []), ...(container.cmd ?? [])]
    .slice(0, 512)
    .flatMap((text) => variableIn(text, path)),
  ...(container.mounts ?? []).flatMap((mount, at) => checkMount(mount, service, [...path, 'mounts', at])),
  ...mountClashes(container, path),
  ...(['startup', 'readiness', 'liveness'] as const).flatMap((kind) => {
    const probe = container.probes?.[kind]
    return probe ? checkProbe(probe, [...path, 'probes', kind], kind) : []
  }),
]

const checkVolumes = (service: ServiceSpec, path: FieldPath): Finding[] =>
  (service.volumes ?? []).flatMap((volume, at) => {
    const { items } = volume['config-map']
    const itemsPath = [...path, 'volumes', at, 'config-map', 'items']
    return [
      ...twice(
        items.map(({ name }) => name),
        (item) => [...itemsPath, item, 'name'],
        'file',
      ),
      ...items.flatMap(({ data }, item) => [
        ...variableIn(data, [...itemsPath, item, 'data']),
        ...(bytesOf(data) > maxConfigFileBytes
          ? [
              finding(
                [...itemsPath, item, 'data'],
                `is ${formatSize(bytesOf(data))}; a file of a config-map holds at most ${formatSize(maxConfigFileBytes)}`,
                'put it into the image',
              ),
            ]
          : []),
      ]),
    ]
  })

const checkPorts = (service: ServiceSpec, path: FieldPath): Finding[] => {
  const protocols = service.network?.['ingress-ip-per-instance']?.protocols ?? []
  const at = [...path, 'network', 'ingress-ip-per-instance', 'protocols']
  const open = protocols.map((protocol) => {
    const ports = parsePortRanges(protocol['port-ranges'])
    return 'message' in ports ? [] : ports.map((port) => `${port}/${protocol.name}`)
  })
  return open.flatMap((ports, index) => {
    const clash = ports.find((port) => open.slice(0, index).flat().includes(port))
    return clash === undefined
      ? []
      : [finding([...at, index, 'port-ranges'], `port ${clash} is named twice`, 'name each port once')]
  })
}

const checkService = (service: ServiceSpec, path: FieldPath): Finding[] => [
  ...(service.mode === 'one-per-matching-host' && service.replicas !== undefined
    ? [
        finding(
          [...path, 'replicas'],
          'has no meaning with mode one-per-matching-host',
          'remove it, or use mode replicated',
        ),
      ]
    : []),
  ...twice(
    service.containers.map(({ name }) => name),
    (at) => [...path, 'containers', at, 'name'],
    'container',
  ),
  ...twice(
    (service.volumes ?? []).map(({ name }) => name),
    (at) => [...path, 'volumes', at, 'name'],
    'volume',
  ),
  ...checkVolumes(service, path),
  ...service.containers.flatMap((container, at) => checkContainer(container, service, [...path, 'containers', at])),
  ...checkPorts(service, path),
]

/** What is wrong between the fields of an application whose single fields are right. */
export const checkApplication = (application: ApplicationSpec): readonly Finding[] => {
  const sizeBytes = bytesOf(canonicalJson(application))
  return [
    ...(sizeBytes > maxApplicationBytes
      ? [
          finding(
            [],
            `the application is ${formatSize(sizeBytes)}; at most ${formatSize(maxApplicationBytes)} travel to a site`,
            'put large files into the image',
          ),
        ]
      : []),
    ...twice(
      application.services.map(({ name }) => name),
      (at) => ['services', at, 'name'],
      'service',
    ),
    ...application.services.flatMap((service, at) => checkService(service, ['services', at])),
  ]
}
