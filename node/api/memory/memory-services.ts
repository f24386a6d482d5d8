import { SkerryError } from '../../../base/index.ts'
import type { ApiServices, Asked } from '../services.ts'
import type { ApplicationStateView, ImageView, ServiceInstanceView } from '../views.ts'
import { createMemoryConfig } from './memory-config.ts'
import { createMemoryConflicts } from './memory-conflicts.ts'
import { createMemoryMembers } from './memory-members.ts'

const counts = (count: number) => ({ count, 'age-ms': 2_000 })

const applicationView = (name: string, version: string): ApplicationStateView => ({
  name,
  version,
  deployment: `${name}-rollout`,
  'wanted-revision': `r${version}`,
  'oper-status': 'running',
  sites: [
    {
      site: 'shop-1',
      version,
      phase: 'run',
      revision: `r${version}`,
      wanted: counts(2),
      downloaded: counts(1),
      running: counts(2),
      ready: counts(2),
      failing: counts(0),
      unknown: counts(0),
      'age-ms': 2_000,
      waiting: [],
      ingress: [1, 2].map((n) => ({
        instance: `${name}.web-${n}`,
        host: 'shop-1-a',
        address: '127.0.0.1',
        protocol: 'tcp',
        'host-port': 20_000 + n,
        'container-port': 80,
      })),
    },
  ],
})

const instanceView = (application: string, n: number): ServiceInstanceView => ({
  name: `${application}.web-${n}`,
  service: 'web',
  site: 'shop-1',
  host: 'shop-1-a',
  'application-version': '1',
  'oper-status': 'running',
  ready: true,
  ips: [`10.90.0.${n}`],
  ports: [{ protocol: 'tcp', 'container-port': 80, 'host-port': 20_000 + n }],
  containers: [
    {
      name: 'server',
      'oper-status': 'running',
      pid: 100 + n,
      image: 'demo/shop:1',
      ready: true,
      'current-restarts': 0,
      'total-restarts': 0,
      probes: {},
    },
  ],
})

const runtime = {
  driver: 'simulated',
  version: '1',
  state: 'up',
  bridge: 'skerry0',
  subnet: '10.90.0.0/24',
  'port-range': [20_000, 20_099],
} as const

/** A small node in memory: one site, one host, whatever configuration it is given. For tests of the API and the CLI. */
export const createMemoryServices = (): ApiServices => {
  const config = createMemoryConfig()
  const images: ImageView[] = []
  const viewOf = async (name: string, asked: Asked) => {
    const found = await config.read('applications', name, asked)
    return found && applicationView(name, String(found.value.version ?? ''))
  }
  return {
    config,
    members: createMemoryMembers(),
    conflicts: createMemoryConflicts(),
    state: {
      node: async () => ({
        name: 'tower',
        role: 'tower',
        version: '0.1.0',
        scope: '/',
        pid: 1,
        'uptime-ms': 60_000,
        notes: ['outbound traffic is open (not filtered yet)'],
      }),
      tree: async () => ({
        scope: '/',
        name: 'demo',
        kind: 'zone',
        children: [
          {
            scope: '/shop-1',
            name: 'shop-1',
            kind: 'site',
            'oper-status': 'up',
            children: [
              { scope: '/shop-1', name: 'shop-1-a', kind: 'host', 'oper-status': 'up', 'age-ms': 1_000, children: [] },
            ],
          },
          {
            scope: '/de/bavaria',
            name: 'bavaria',
            kind: 'border',
            note: 'beyond here /de/bavaria answers',
            children: [],
          },
        ],
      }),
      sites: async () => [
        {
          name: 'shop-1',
          scope: '/shop-1',
          type: 'edge',
          labels: { 'shop/size': 'large' },
          hosts: [],
          'oper-status': 'up',
          'age-ms': 1_000,
        },
      ],
      site: async (name) =>
        name === 'shop-1'
          ? { name, scope: '/shop-1', type: 'edge', labels: {}, hosts: [], 'oper-status': 'up' }
          : undefined,
      hosts: async () => [
        {
          name: 'shop-1-a',
          site: 'shop-1',
          scope: '/shop-1',
          node: 'shop-1-a',
          'oper-status': 'up',
          'age-ms': 1_000,
          labels: {},
          runtime,
        },
      ],
      siteDiff: async (a, b) => {
        const unknown = [a, b].find((name) => name !== 'shop-1')
        if (unknown !== undefined)
          throw new SkerryError('not-found', `there is no site ${unknown} below tower; did you mean shop-1?`)
        return { a, b, differences: [] }
      },
      zones: async () => [
        {
          scope: '/',
          name: 'demo',
          privacy: false,
          policy: { reports: 'all' },
          zones: 0,
          sites: 1,
          aggregators: [{ node: 'tower' }],
          authority: { generation: 1 },
        },
      ],
      zonePolicy: async (zone) =>
        zone === '/de/bavaria'
          ? {
              scope: zone,
              privacy: true,
              policy: { names: 'none', reports: 'summary' },
              settle: 'zone',
              notes: ['/de/bavaria alone settles what it and those above decided otherwise'],
              ancestors: [
                { scope: '/', sees: { reports: 'summary' }, lines: ['/ sees counts of what runs, no names'] },
              ],
            }
          : undefined,
      applications: async (asked) => {
        const found = await config.list('applications', asked)
        return found.map(({ name, value }) => applicationView(name, String(value.version ?? '')))
      },
      application: viewOf,
      serviceInstances: async (name, asked) => (await viewOf(name, asked)) && [1, 2].map((n) => instanceView(name, n)),
      explain: async (application, { site = 'shop-1' }) => ({
        application,
        site,
        ok: false,
        links: [
          { step: 'application', state: 'done', text: `application ${application} is known` },
          { step: 'deployment', state: 'stopped', text: 'no deployment names it', 'age-ms': 5_000 },
        ],
        'stopped-at': 'deployment',
        reason: 'no-deployment',
        advice: `write a deployment with application: ${application} and apply it`,
      }),
      deployments: async () => [],
      deployment: async () => undefined,
    },
    images: {
      list: async () => images,
      import: async (archive) => {
        let sizeBytes = 0
        for await (const chunk of archive) sizeBytes += chunk.length
        if (sizeBytes === 0) throw new SkerryError('bad-image', 'the archive is empty')
        const image = {
          name: 'demo/shop:1',
          digest: 'sha256:0',
          'size-bytes': sizeBytes,
          archive: '0',
          'runs-as-process': true,
        }
        images.push(image)
        return [image]
      },
    },
    authority: {
      show: async (zone = '/') => {
        if (zone !== '/' && zone !== '/de/bavaria') throw new SkerryError('not-found', `there is no zone ${zone}`)
        return {
          scope: zone,
          succession: zone === '/' ? 'granted' : 'own',
          id: zone === '/' ? '0a'.repeat(16) : '0b'.repeat(24),
          generation: 1,
          threshold: 1,
          countersigned: true,
          keys: [{ fingerprint: '0c'.repeat(32), host: 'tower' }],
          waiting: [],
          notes: [],
        }
      },
      renew: async (zone) => {
        if (zone !== '/de/bavaria') throw new SkerryError('beyond-border', `beyond here ${zone} answers`)
        return { scope: zone, outcome: 'draft', generation: 2, draft: 'ab'.repeat(40), signed: 1, needed: 2 }
      },
      sign: async (zone) => ({ scope: zone, outcome: 'made', generation: 2 }),
      narrow: async (zone, levels) => ({ scope: zone, narrowing: levels }),
      retire: async (zone, id) => ({ scope: zone, id, lost: [`the id ${id} is closed for ever`] }),
    },
    operations: {
      rollback: async (deployment, { toVersion, ...asked }) => {
        if (!(await config.read('application-deployments', deployment, asked)))
          throw new SkerryError('not-found', `there is no deployment ${deployment}`)
        return { deployment, 'from-version': '2', 'to-version': toVersion ?? '1' }
      },
      exec: async (_instance, { args }) => ({
        exitCode: args[0] === 'false' ? 7 : 0,
        stdout: Buffer.from(`${args.join(' ')}\n`),
        stderr: Buffer.from(''),
        truncated: false,
      }),
      logs: async (instance, { follow, signal }) =>
        (async function* () {
          yield Buffer.from(`hello from ${instance}\n`)
          if (!follow || signal.aborted) return
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        })(),
    },
  }
}
