import { createHash } from 'node:crypto'
import test from 'ava'
import type { ContainerStatus, Waiting } from '../../../runtime/index.ts'
import type { StoredApplication, StoredDeployment } from './config-store.ts'
import { describeExplanation, type ExplainQuestion, type Explanation, explain, explainSteps } from './explain.ts'
import { matchesGolden } from './golden-text.contract.ts'
import {
  sampleApplication,
  sampleApplicationStatus,
  sampleContainer,
  sampleDeployment,
  sampleHostStatus,
  sampleInstance,
  samplePlace,
  sampleReport,
  sampleRevision,
  sampleWaiting,
} from './sample-config.ts'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

const spec = sampleApplication({ version: '1' }, {}, { memory: '64MiB', probes: { readiness: { tcp: { port: 80 } } } })
const application: StoredApplication = { name: 'shop', revisions: [sampleRevision(spec, 'r1')], order: 1 }
const deployment = (fields: Record<string, unknown> = {}): StoredDeployment => ({
  spec: sampleDeployment(fields),
  order: 2,
  changedAtMs: 0,
  history: ['1'],
})

const signed = {
  application: 'shop',
  deployment: 'shop-all',
  revision: 'r1',
  version: 'a1'.repeat(32),
  signer: '5ec2'.repeat(16),
  order: 4,
  ageMs: 300_000,
}

const ask = (fields: Partial<ExplainQuestion> = {}): ExplainQuestion => ({
  application: 'shop',
  site: 'n1',
  applications: [application],
  deployments: [deployment()],
  places: [samplePlace('n1', ['h1'], { 'shop.example/size': 'small' }), samplePlace('n2')],
  entries: [],
  signed: [signed],
  intentOrder: 7,
  reports: [sampleReport()],
  hash,
  ...fields,
})

/** A host that waits for one thing with its instance in the state given. */
const waiting = (
  reason: Waiting['reason'],
  detail: string,
  container: Partial<ContainerStatus> = {},
  fields: Partial<Waiting> = {},
) => {
  const instance = sampleInstance({
    ready: false,
    containers: [sampleContainer({ ready: false, state: 'absent', pid: 0, ...container })],
  })
  const status = sampleHostStatus([
    sampleApplicationStatus({ instances: [instance], waiting: [sampleWaiting(reason, detail, fields)] }),
  ])
  return ask({ reports: [sampleReport({ status })] })
}

const crashed = { state: 'exited', pid: 0, currentRestarts: 6, totalRestarts: 6 } as const

const cases: Readonly<Record<string, ExplainQuestion>> = {
  ready: ask(),
  'no-such-application': ask({ application: 'shpo' }),
  'no-deployment': ask({ deployments: [] }),
  'no-such-version': ask({ deployments: [deployment({ 'application-version': '9' })] }),
  'no-such-site': ask({ site: 'n3' }),
  'placement-label-differs': ask({
    deployments: [
      deployment({ placement: { 'match-site-labels': 'system/type = edge and shop.example/size = large' } }),
    ],
  }),
  'placement-label-missing': ask({
    deployments: [deployment({ placement: { 'match-site-labels': 'system/type = edge and shop.example/canary' } })],
  }),
  'no-host': ask({ places: [samplePlace('n1', [])] }),
  'no-instances': ask({
    applications: [
      { ...application, revisions: [sampleRevision(sampleApplication({ version: '1' }, { replicas: 0 }), 'r1')] },
    ],
  }),
  'never-connected': ask({ reports: [] }),
  'not-reported': ask({ reports: [{ site: 'n1', host: 'h1', node: 'n1-h1', link: 'up', linkForMs: 1_000 }] }),
  'link-down': ask({ reports: [sampleReport({ link: 'down', linkForMs: 720_000, receivedAgeMs: 725_000 })] }),
  'report-old': ask({ reports: [sampleReport({ receivedAgeMs: 120_000 })] }),
  'not-accepted': ask({
    reports: [
      sampleReport({
        acceptedOrder: 5,
        status: sampleHostStatus([sampleApplicationStatus({ revision: 'r0', version: '0' })]),
      }),
    ],
  }),
  'not-signed': ask({ signed: [{ ...signed, revision: 'r0', order: 3 }] }),
  'signer-not-known': (({ signed: _, ...question }) => question)(ask()),
  'version-refused': ask({
    reports: [
      sampleReport({
        refusals: [
          {
            application: 'shop',
            code: 'not-entitled',
            message: 'the signer of the deployment version has no delegation of the tenant',
          },
        ],
        status: sampleHostStatus([sampleApplicationStatus({ revision: 'r0', version: '0' })]),
      }),
    ],
  }),
  'invention-refused': ask({
    reports: [
      sampleReport({
        refusals: [
          {
            application: 'shop',
            code: 'not-entitled',
            message: 'the signer of the deployment version has no delegation of the tenant',
            version: 'bad0'.repeat(16),
          },
        ],
        status: sampleHostStatus([sampleApplicationStatus({ revision: 'r0', version: '0' })]),
      }),
    ],
  }),
  'invention-refused-while-running': ask({
    reports: [
      sampleReport({
        refusals: [
          {
            application: 'shop',
            code: 'not-entitled',
            message: 'the signer of the deployment version has no delegation of the tenant',
            version: 'bad0'.repeat(16),
          },
        ],
      }),
    ],
  }),
  'version-stale': ask({
    reports: [
      sampleReport({
        refusals: [
          {
            application: 'shop',
            code: 'stale',
            message: 'the version is number 4 of its signer, after number 5 was accepted',
          },
        ],
        status: sampleHostStatus([]),
      }),
    ],
  }),
  'not-accepted-below-a-zone': ask({
    reports: [sampleReport({ acceptedOrder: 5, intendedOrder: 6, status: sampleHostStatus([]) })],
  }),
  'engine-unavailable': ask({
    reports: [
      sampleReport({
        status: sampleHostStatus([sampleApplicationStatus()], {
          engine: { state: 'unavailable', forMs: 40_000, error: 'connect ENOENT /run/containerd/containerd.sock' },
        }),
      }),
    ],
  }),
  'image-not-here': waiting('image-not-here', 'demo/shop:1'),
  'fetching-image': waiting('fetching-image', 'demo/shop:1, 3 of 7 MiB'),
  'image-refused': waiting('image-refused', 'demo/shop:1: layer 2 does not match its digest'),
  'needs-containerd': waiting('needs-containerd', 'demo/shop:1: this image needs containerd'),
  'disk-full': waiting('disk-full', 'no space left for 7 MiB'),
  'no-free-port': waiting(
    'no-free-port',
    'none of the host ports 20000 to 20099 is free',
    {},
    { container: undefined as never },
  ),
  'port-taken': waiting('port-taken', 'port 20000 is in use'),
  'network-failed': waiting('network-failed', 'bridge: no such plugin'),
  'start-failed': waiting(
    'start-failed',
    'exec: "/bin/htpd": stat /bin/htpd: no such file or directory',
    {},
    { retryInMs: 8_000 },
  ),
  'crash-loop': waiting(
    'crash-loop',
    'ended with exit 3, 6 restarts; last line: no disk',
    { ...crashed, lastExit: { code: 3, reason: 'exited' } },
    { retryInMs: 32_000 },
  ),
  'out-of-memory': waiting(
    'out-of-memory',
    'used more memory than its limit (exit 137), 6 restarts',
    { ...crashed, lastExit: { code: 137, reason: 'oom' } },
    { retryInMs: 16_000 },
  ),
  'readiness-failing': waiting('probe-failing', 'readiness probe tcp 80: connection refused', {
    state: 'running',
    pid: 4711,
    probes: { readiness: 'failure' },
  }),
  starting: waiting('starting', 'startup probe exec /bin/true has not answered yet', { state: 'running', pid: 4711 }),
}

for (const [name, question] of Object.entries(cases))
  test(`explains ${name} with what is wrong, where, and what to do`, (t) => {
    const explanation = explain(question)
    t.is(explanation.ok, ['ready', 'signer-not-known', 'invention-refused-while-running'].includes(name))
    matchesGolden(t, `explain/${name}.txt`, describeExplanation(explanation))
  })

const linkAt = ({ links }: Explanation, step: string) => links.find((link) => link.step === step)

test('every chain names every step once, in order, and stops at most once, but not at what nobody can say', (t) => {
  for (const [name, question] of Object.entries(cases)) {
    const explanation = explain(question)
    t.deepEqual(
      explanation.links.map(({ step }) => step),
      [...explainSteps],
      name,
    )
    const stops = explanation.links.filter(({ state }) => state === 'stopped').map(({ step }) => step)
    t.deepEqual(stops, explanation.ok || explanation.unknown ? [] : [explanation.stoppedAt], name)
    const after = explanation.ok ? [] : explanation.links.slice(explainSteps.indexOf(explanation.stoppedAt) + 1)
    t.true(
      after.every(({ state }) => state === 'unknown'),
      name,
    )
  }
})

test('what cannot be said is unknown with its age, never stopped', (t) => {
  const unknown = (name: string) => {
    const explanation = explain(cases[name] as ExplainQuestion)
    return explanation.ok ? undefined : explanation.unknown
  }
  t.deepEqual(unknown('link-down'), { sinceMs: 720_000, lastKnown: 'ready' })
  t.deepEqual(unknown('report-old'), { sinceMs: 121_000, lastKnown: 'ready' })
  t.deepEqual(unknown('never-connected'), {})
  t.is(unknown('crash-loop'), undefined)
  const crashed = cases['crash-loop'] as ExplainQuestion
  const [report] = crashed.reports
  const cut = explain({ ...crashed, reports: report ? [{ ...report, link: 'down', linkForMs: 60_000 }] : [] })
  t.deepEqual(cut.ok || cut.unknown, { sinceMs: 60_000, lastKnown: 'stopped at running' })
})

test('a link that is down shows the last state with its age, never as how things are', (t) => {
  const explanation = explain(cases['link-down'] as ExplainQuestion)
  const running = linkAt(explanation, 'running')
  t.is(running?.state, 'unknown')
  t.regex(running?.text ?? '', /^last known: running: web \(pid 4711\)$/)
  t.is(running?.ageMs, 726_000)
})

test('of several instances the one that ends first is explained', (t) => {
  const two = sampleApplication({ version: '1' }, { replicas: 2 })
  const question = ask({
    applications: [{ ...application, revisions: [sampleRevision(two, 'r1')] }],
    places: [samplePlace('n1', ['h1', 'h2'])],
    reports: [],
  })
  const both = ['h1', 'h2'].map((host) => {
    const instances = ['shop.web-1', 'shop.web-2'].map((id) => sampleInstance({ id }))
    return sampleReport({ host, status: sampleHostStatus([sampleApplicationStatus({ instances })]) })
  })
  t.true(explain({ ...question, reports: both }).ok)
  const half = explain({ ...question, reports: both.slice(0, 1) })
  t.like(half, { ok: false, stoppedAt: 'link', reason: 'never-connected' })
  t.regex(half.ok ? '' : half.advice, /1 of 2 instances are ready/)
})
