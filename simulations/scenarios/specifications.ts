import { ancestorsOf, labelsSeenFrom, sites, type Topology } from '../../topologies/index.ts'
import { canaryOf } from './canaries.ts'

/** An application of the workload. */
export interface WorldApplication {
  readonly name: string
  /** As a deployment document says where it goes. */
  readonly placement: string
  /** Labels a site must have; none for every site. */
  readonly siteLabels: Readonly<Record<string, string>>
  readonly mode: string
  /** Instances at a site with so many hosts. */
  readonly instances: (hosts: number) => number
  readonly containers: readonly {
    readonly name: string
    readonly changes: boolean
    /** How it is asked whether it is well, as the file says it; it listens on `PORT` of its environment. */
    readonly probes?: string
  }[]
}

const port = 8080

export const imageName = 'demo:1'

export const applications: readonly WorldApplication[] = [
  {
    name: 'shop',
    placement: 'all-sites: true',
    siteLabels: {},
    mode: 'mode: one-per-matching-host',
    instances: (hosts) => hosts,
    containers: [
      {
        name: 'web',
        changes: true,
        probes: `{ liveness: { http: { port: ${port}, path: /health }, failure-threshold: 2 } }`,
      },
      { name: 'side', changes: false },
    ],
  },
  {
    // Its name is nobody's business but of the sites it goes to.
    name: canaryOf('gold'),
    placement: 'match-site-labels: tier = gold',
    siteLabels: { tier: 'gold' },
    mode: 'mode: replicated\n    replicas: 2',
    instances: () => 2,
    containers: [
      { name: 'api', changes: true, probes: `{ liveness: { tcp: { port: ${port} }, failure-threshold: 2 } }` },
    ],
  },
]

export const deploymentOf = ({ name }: WorldApplication): string => `${name}-out`

/** One version as `skerry apply` takes it. */
export const applicationText = ({ name, mode, containers }: WorldApplication, version: string): string =>
  [
    `name: ${name}`,
    `version: "${version}"`,
    'services:',
    '  - name: main',
    `    ${mode}`,
    '    containers:',
    ...containers.flatMap((one) => [
      `      - name: ${one.name}`,
      `        image: ${imageName}`,
      `        env: { ${one.changes ? `VERSION: "${version}"` : 'ALWAYS: same'}, PORT: "${one.probes ? port : 0}" }`,
      ...(one.probes ? [`        probes: ${one.probes}`] : []),
    ]),
    '',
  ].join('\n')

export const deploymentText = (application: WorldApplication, version: string): string =>
  [
    `name: ${deploymentOf(application)}`,
    `application: ${application.name}`,
    `application-version: "${version}"`,
    `placement: { ${application.placement} }`,
    '',
  ].join('\n')

/** What a container is at a version of its application; versions that do not change it give the same. */
export const contentOf = (
  { application, container }: { readonly application: string; readonly container: string },
  version: string,
): string => {
  const spec = applications.find(({ name }) => name === application)
  return spec?.containers.find(({ name }) => name === container)?.changes === false ? 'as ever' : `version ${version}`
}

/** Edge sites that an operator of a zone reaches inside it: zones that keep their names back show none of their labels. */
export const sitesFor = (topology: Topology, application: WorldApplication, zone: string): ReadonlySet<string> =>
  new Set(
    sites(topology)
      .filter(({ type, path }) => type === 'edge' && ancestorsOf(path).some((around) => around === zone))
      .filter((site) => {
        const { labels } = labelsSeenFrom(topology, site, zone)
        return Object.entries(application.siteLabels).every(([key, value]) => labels[key] === value)
      })
      .map(({ name }) => name as string),
  )
