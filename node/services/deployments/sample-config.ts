import type { ApplicationStatus, ContainerStatus, HostStatus, InstanceStatus, Waiting } from '../../../runtime/index.ts'
import type { ApplicationRevision } from './config-store.ts'
import { parseApplication, parseDeployment } from './parse-documents.ts'
import type { SitePlace } from './placement.ts'
import type { HostReport } from './report.ts'
import type { ApplicationSpec } from './specification.ts'

/** Builders for tests: each sets what a test is not about. */

export const sampleDigest = (letter = 'a') => `sha256:${letter.repeat(64)}`

export const samplePlace = (
  site = 'n1',
  hosts: readonly string[] = ['h1'],
  labels: Record<string, string> = {},
): SitePlace => ({
  site,
  scope: `/north/${site}`,
  labels: { 'system/name': site, 'system/type': 'edge', ...labels },
  hosts: hosts.map((name) => ({ name, labels: {} })),
})

export const sampleApplication = (
  fields: Record<string, unknown> = {},
  service: Record<string, unknown> = {},
  container: Record<string, unknown> = {},
): ApplicationSpec =>
  parseApplication({
    name: 'shop',
    services: [{ name: 'web', containers: [{ name: 'web', image: 'demo/shop:1', ...container }], ...service }],
    ...fields,
  })

export const sampleRevision = (
  spec: ApplicationSpec = sampleApplication(),
  revision = `r${spec.version ?? ''}`,
): ApplicationRevision => ({
  spec,
  version: spec.version ?? '',
  revision,
  images: [{ name: 'demo/shop:1', digest: sampleDigest(), archive: sampleDigest('b') }],
  changedAtMs: 0,
})

export const sampleDeployment = (fields: Record<string, unknown> = {}) =>
  parseDeployment({ name: 'shop-all', application: 'shop', placement: 'all-sites', ...fields })

export const sampleContainer = (fields: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name: 'web',
  state: 'running',
  id: 'c1',
  pid: 4711,
  specHash: 's',
  imageDigest: sampleDigest(),
  currentRestarts: 0,
  totalRestarts: 0,
  probes: {},
  ready: true,
  ...fields,
})

export const sampleInstance = (fields: Partial<InstanceStatus> = {}): InstanceStatus => ({
  id: 'shop.web-1',
  service: 'web',
  addresses: ['10.88.0.2'],
  ports: [],
  containers: [sampleContainer()],
  ready: true,
  ...fields,
})

export const sampleApplicationStatus = (fields: Partial<ApplicationStatus> = {}): ApplicationStatus => ({
  tenant: 'main',
  application: 'shop',
  version: '1',
  revision: 'r1',
  deployment: 'shop-all',
  phase: 'run',
  images: [{ name: 'demo/shop:1', digest: sampleDigest(), state: 'present' }],
  instances: [sampleInstance()],
  waiting: [],
  ...fields,
})

export const sampleWaiting = (reason: Waiting['reason'], detail: string, fields: Partial<Waiting> = {}): Waiting => ({
  reason,
  detail,
  instance: 'shop.web-1',
  container: 'web',
  forMs: 90_000,
  ...fields,
})

export const sampleHostStatus = (
  applications: readonly ApplicationStatus[] = [sampleApplicationStatus()],
  fields: Partial<HostStatus> = {},
): HostStatus => ({
  engine: { state: 'up', forMs: 3_600_000 },
  portRange: [20_000, 20_099],
  observedAgeMs: 1_000,
  applications,
  ...fields,
})

export const sampleReport = (fields: Partial<HostReport> = {}): HostReport => ({
  site: 'n1',
  host: 'h1',
  node: 'n1-h1',
  link: 'up',
  linkForMs: 600_000,
  acceptedOrder: 7,
  receivedAgeMs: 2_000,
  status: sampleHostStatus(),
  ...fields,
})
