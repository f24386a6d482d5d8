import { imageName } from '../demo/index.ts'

/** One container of a service under trial. */
interface TrialContainer {
  readonly name: string
  /** Its specification differs between the two versions. */
  readonly changes: boolean
  /** Ends on its own now and then, with an error. */
  readonly crashes?: boolean
  readonly fields: Readonly<Record<string, unknown>>
}

interface TrialService {
  readonly application: string
  readonly name: string
  /** Of version 1 and of version 2. */
  readonly replicas: readonly [number, number]
  /** Answers HTTP at a port of the host with a page that names the version. */
  readonly pages?: boolean
  readonly containers: readonly TrialContainer[]
}

export type TrialVersion = '1' | '2'

const shell = (script: string) => ['/bin/sh', '-c', script]
const waits = { entrypoint: shell('trap "exit 0" TERM; while :; do sleep 5 & wait $!; done') }
const serves = {
  entrypoint: ['/bin/httpd', '-f', '-p', '8080', '-h', '/www'],
  mounts: [{ 'volume-name': 'pages', 'mount-path': '/www' }],
}

const services: readonly TrialService[] = [
  {
    application: 'shop',
    name: 'web',
    replicas: [2, 2],
    pages: true,
    containers: [
      {
        name: 'web',
        changes: true,
        fields: { ...serves, memory: '32MiB', probes: { readiness: { http: { port: 8080 }, period: '1s' } } },
      },
    ],
  },
  {
    application: 'shop',
    name: 'till',
    replicas: [1, 1],
    containers: [{ name: 'till', changes: false, fields: waits }],
  },
  {
    application: 'depot',
    name: 'api',
    replicas: [2, 2],
    pages: true,
    containers: [
      {
        name: 'api',
        changes: false,
        fields: { ...serves, probes: { startup: { tcp: { port: 8080 }, period: '1s', 'failure-threshold': 30 } } },
      },
    ],
  },
  {
    application: 'depot',
    name: 'worker',
    replicas: [2, 3],
    containers: [
      { name: 'main', changes: true, fields: waits },
      { name: 'side', changes: false, fields: { ...waits, cpus: 0.2 } },
    ],
  },
  {
    application: 'depot',
    name: 'cache',
    replicas: [1, 1],
    containers: [
      {
        name: 'cache',
        changes: false,
        fields: { ...waits, probes: { liveness: { exec: { cmd: ['/bin/ls', '/'] }, period: '5s', timeout: '5s' } } },
      },
    ],
  },
  {
    application: 'meter',
    name: 'steady',
    replicas: [2, 2],
    containers: [{ name: 'steady', changes: false, fields: waits }],
  },
  {
    application: 'meter',
    name: 'cracker',
    replicas: [1, 1],
    containers: [
      {
        name: 'cracker',
        changes: false,
        crashes: true,
        fields: { entrypoint: shell('sleep 9; echo cracked; exit 3') },
      },
    ],
  },
]

const replicasOf = ({ replicas }: TrialService, version: TrialVersion) => replicas[version === '1' ? 0 : 1]
export const pageOf = (service: string, version: TrialVersion): string => `${service} version ${version}\n`
/** What a page says and an environment holds: one that does not change says version 1 for ever. */
const shown = ({ changes }: TrialContainer, version: TrialVersion): TrialVersion => (changes ? version : '1')

export const applications: readonly string[] = [...new Set(services.map(({ application }) => application))]
/** Applications with something to upgrade. */
export const changingApplications: readonly string[] = applications.filter((application) =>
  services.some((service) => service.application === application && service.containers.some(({ changes }) => changes)),
)

const serviceFields = (service: TrialService, version: TrialVersion) => ({
  name: service.name,
  mode: 'replicated',
  replicas: replicasOf(service, version),
  ...(service.pages && {
    volumes: service.containers.map((container) => ({
      name: 'pages',
      'config-map': { items: [{ name: 'index.html', data: pageOf(service.name, shown(container, version)) }] },
    })),
    network: {
      'ingress-ip-per-instance': {
        protocols: [{ name: 'tcp', 'port-ranges': '8080' }],
        access: { 'allow-all': true },
      },
    },
  }),
  containers: service.containers.map((container) => ({
    name: container.name,
    image: imageName,
    env: { TRIAL_VERSION: shown(container, version) },
    'shutdown-timeout': '1s',
    'container-log-size': '64KiB',
    ...container.fields,
  })),
})

/** One version of an application, as a document for `skerry apply`. JSON is YAML too. */
export const applicationDocument = (application: string, version: TrialVersion): string =>
  JSON.stringify({
    name: application,
    version,
    services: services.filter((one) => one.application === application).map((one) => serviceFields(one, version)),
  })

export const deploymentDocument = (application: string, version: TrialVersion): string =>
  JSON.stringify({
    name: `${application}-everywhere`,
    application,
    'application-version': version,
    placement: 'all-sites',
  })

/** One container that must be there, and what it must show. */
export interface WantedContainer {
  readonly application: string
  readonly instance: string
  readonly container: string
  /** Value of TRIAL_VERSION in its environment. */
  readonly version: TrialVersion
  readonly changes: boolean
  readonly crashes: boolean
}

export interface WantedInstance {
  readonly id: string
  /** Body its port answers, where it has one. */
  readonly page?: string
  readonly containers: readonly WantedContainer[]
}

/** What must run when each application is at the version named. */
export const wantedAt = (versions: Readonly<Record<string, TrialVersion>>): readonly WantedInstance[] =>
  services.flatMap((service) => {
    const { application, name } = service
    const version = versions[application] ?? '1'
    return Array.from({ length: replicasOf(service, version) }, (_, at): WantedInstance => {
      const id = `${application}.${name}-${at + 1}`
      const containers = service.containers.map((one) => ({
        application,
        instance: id,
        container: one.name,
        version: shown(one, version),
        changes: one.changes,
        crashes: one.crashes ?? false,
      }))
      const first = containers[0]
      return { id, ...(service.pages && first && { page: pageOf(name, first.version) }), containers }
    })
  })
