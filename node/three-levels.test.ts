import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { SkerryError } from '../base/index.ts'
import { nodesOf, parseTopology } from '../topologies/index.ts'
import type { TreeView } from './api/index.ts'
import type { SkerryNode } from './node.ts'
import { asked, emptyTree, type Tree, until } from './tree-scene.contract.ts'

const topologyText = `version: 1
network: lands
towers: { site: head, hosts: [{ name: tower }] }
zones:
  - name: de
    policy: { operations: none }
    aggregators: { hosts: [{ name: de-agg }] }
    zones:
      - name: bavaria
        privacy: true
        labels: { state: bavaria }
        aggregators: { hosts: [{ name: bavaria-agg }] }
        zones:
          - name: munich
            aggregators: { hosts: [{ name: munich-agg }] }
            sites: [{ name: munich-1, labels: { kind: office }, hosts: [{ name: munich-1-a }] }]
          - name: nuremberg
            privacy: true
            policy: { reports: none }
            aggregators: { hosts: [{ name: nuremberg-agg }] }
            sites: [{ name: nuremberg-1, labels: { kind: office }, hosts: [{ name: nuremberg-1-a }] }]
      - name: hesse
        labels: { state: hesse }
        aggregators: { hosts: [{ name: hesse-agg }] }
        zones:
          - name: kassel
            aggregators: { hosts: [{ name: kassel-agg }] }
            sites: [{ name: kassel-1, labels: { kind: office }, hosts: [{ name: kassel-1-a }] }]
          - name: fulda
            policy: { reports: summary }
            aggregators: { hosts: [{ name: fulda-agg }] }
            sites: [{ name: fulda-1, labels: { kind: depot }, hosts: [{ name: fulda-1-a }] }]
          - name: gotha
            policy: { reports: none }
            aggregators: { hosts: [{ name: gotha-agg }] }
            sites: [{ name: gotha-1, labels: { kind: depot }, hosts: [{ name: gotha-1-a }] }]
`

const application = (name: string) => `name: ${name}
version: "1"
services:
  - name: web
    mode: one-per-matching-host
    containers:
      - name: web
        image: demo:1
`
const deployment = (application: string, placement: string) => `name: ${application}-out
application: ${application}
application-version: "1"
placement: { ${placement} }
`

/** A country with a state that keeps its names back, a town of it that keeps even its counts, and an open state. */
const startLands = async (t: ExecutionContext): Promise<Tree> => {
  const tree = emptyTree(t)
  tree.topologyText = topologyText
  const nodes = nodesOf(parseTopology(topologyText, 'lands.yaml'))
  tree.places = Object.fromEntries(
    nodes.map(({ name, role, scope, site = '', parents }) => [
      name,
      { role, scope, site: role === 'edge' ? site : '', parents },
    ]),
  )
  for (const { name } of nodes) await tree.start(name)
  await tree.importImage('demo:1')
  for (const [name, placement] of [
    ['shop', 'match-site-labels: state'],
    ['till', 'match-site-labels: kind = office'],
  ] as const) {
    await tree.apply('applications', application(name))
    await tree.apply('application-deployments', deployment(name, placement))
  }
  return tree
}

const runsAt = async (tree: Tree, host: string): Promise<readonly string[]> =>
  (await tree.node(host).services.state.applications(asked))
    .filter(({ sites }) => sites.some(({ ready }) => ready.count === 1))
    .map(({ name }) => name)

const steady = (text: string) => text.replaceAll(/\d+(\.\d+)?(ms|s|m)/g, 'AGE')

const treeLines = ({ kind, name, note, children }: TreeView, indent = ''): readonly string[] => [
  steady(`${indent}${kind} ${name}${note === undefined ? '' : ` (${note})`}`),
  ...children.flatMap((child) => treeLines(child, `${indent}  `)),
]

const statusLines = async ({ services: { state } }: SkerryNode): Promise<readonly string[]> =>
  (await state.applications(asked)).flatMap(({ name, zones = [], sites }) => [
    ...sites.map(
      ({ site, version, wanted, ready }) => `${name} ${version} ${site}: ${ready.count} of ${wanted.count} ready`,
    ),
    ...zones.map(
      (zone) =>
        `${name} ${zone.version} ${zone.zone}: ${zone.ready.count} of ${zone.wanted.count} ready, ${steady(zone.note ?? '')}`,
    ),
  ])

const answer = async (work: () => Promise<unknown>): Promise<string> => {
  try {
    return JSON.stringify(await work())
  } catch (error) {
    return error instanceof SkerryError ? `${error.code}: ${error.message}` : String(error)
  }
}

/** What is asked of a site, by every command that may name one. */
const questions: Readonly<Record<string, (node: SkerryNode, site: string) => Promise<unknown>>> = {
  status: ({ services: { state } }, site) => state.applications({ ...asked, site }),
  'status of an application': ({ services: { state } }, site) => state.application('shop', { ...asked, site }),
  instances: ({ services: { state } }, site) => state.serviceInstances('shop', { ...asked, site }),
  nodes: ({ services: { state } }, site) => state.hosts({ ...asked, site }),
  site: ({ services: { state } }, site) => state.site(site, asked),
  node: ({ services: { state } }, site) => state.node({ ...asked, site }),
  diff: ({ services: { state } }, site) => state.siteDiff('kassel-1', site, asked),
  explain: async ({ services: { state } }, site) => {
    const { links, advice } = await state.explain('till', { ...asked, site })
    return { last: links.at(-1), advice }
  },
  exec: ({ services: { operations } }, site) =>
    operations.exec('shop.web-1', { ...asked, site, args: ['true'], timeoutMs: 1_000 }),
  logs: async ({ services: { operations } }, site) =>
    operations.logs('shop.web-1', { ...asked, site, tailBytes: 0, follow: false }),
  'block a site': ({ services: { members } }, site) => members.block({ kind: 'site', site }, asked),
  'a token for a host of it': ({ services: { members } }, site) => members.token(`${site}-a`, asked),
}

const levels = ['tower', 'de-agg', 'hesse-agg', 'bavaria-agg', 'munich-agg', 'nuremberg-agg', 'munich-1-a'] as const

test('one application reaches municipalities at three levels, and each level sees what it may', async (t) => {
  const tree = await startLands(t)
  for (const [host, names] of [
    ['kassel-1-a', 'shop,till'],
    ['fulda-1-a', 'shop'],
    ['gotha-1-a', 'shop'],
    ['munich-1-a', 'shop'],
    ['nuremberg-1-a', 'shop'],
  ] as const)
    await until(`${host} to run ${names}`, async () => ((await runsAt(tree, host)).join() === names ? true : undefined))
  await until('counts of bavaria at the tower', async () => {
    const lines = await statusLines(tree.node('tower'))
    return lines.some((line) => line.startsWith('shop 1 /de/bavaria: 1 of 1 ready')) &&
      lines.some((line) => line.startsWith('shop 1 /de/hesse/fulda: 1 of 1 ready')) &&
      lines.includes('till 1 kassel-1: 1 of 1 ready') &&
      lines.includes('shop 1 kassel-1: 1 of 1 ready')
      ? true
      : undefined
  })
  const parts: string[] = []
  for (const name of levels) {
    const node = tree.node(name)
    const explained = await Promise.all(
      ['munich-1', 'nuremberg-1', 'kassel-1'].map(async (site) => {
        const told = await node.services.state.explain('till', { ...asked, site }).catch((error: Error) => error)
        if (told instanceof Error) return `${site}: ${told.message}`
        const last = told.links.at(-1)
        return `${site}: ${told.ok ? 'runs' : `${last?.step}: ${last?.text}\n  ${told.advice}`}`
      }),
    )
    parts.push(
      [
        `# ${name}`,
        ...treeLines(await node.services.state.tree(asked)),
        '## status',
        ...(await statusLines(node)),
        ...(await node.services.state.node(asked)).notes.filter((note) => note.startsWith('beyond')),
        '## explain till',
        ...explained,
      ].join('\n'),
    )
  }
  matchesGolden(t, 'three-levels.txt', parts.join('\n\n'))
  const { state } = tree.node('tower').services
  for (const [site, note] of [
    ['kassel-1', undefined],
    ['fulda-1', 'beyond here /de/hesse/fulda answers'],
    ['gotha-1', 'beyond here /de/hesse/gotha answers'],
  ] as const)
    t.is((await state.explain('shop', { ...asked, site })).note, note)

  const atBorders: string[] = []
  for (const [name, hidden] of [
    ['tower', 'munich-1'],
    ['de-agg', 'munich-1'],
    ['bavaria-agg', 'nuremberg-1'],
  ] as const) {
    atBorders.push(`# ${name}`)
    for (const [what, ask] of Object.entries(questions)) {
      const [there, nowhere] = await Promise.all(
        [hidden, hidden.replace('-1', '-9')].map(async (site) =>
          steady(await answer(() => ask(tree.node(name), site))).replaceAll(site, 'SITE'),
        ),
      )
      t.is(there, nowhere, `${what} at ${name}`)
      atBorders.push(`${what}: ${there}`)
    }
  }
  for (const [name, ask] of [
    ['policy', (zone: string) => tree.node('tower').services.state.zonePolicy(zone, asked)],
    ['hosts', (zone: string) => tree.node('tower').services.members.list({ ...asked, zone })],
  ] as const) {
    const [there, nowhere] = await Promise.all(
      ['munich', 'murnau'].map(async (town) =>
        (await answer(() => ask(`/de/bavaria/${town}`))).replaceAll(town, 'TOWN'),
      ),
    )
    t.is(there, nowhere)
    atBorders.push(`${name} of a zone behind a border: ${there}`)
  }
  t.is(
    await answer(() => tree.node('tower').services.members.list({ ...asked, zone: '/de/bavaria' })),
    'beyond-border: beyond here /de/bavaria answers',
  )
  matchesGolden(t, 'borders.txt', atBorders.join('\n'))
})

/** As in the services: GOLDEN=write writes the text instead. */
const matchesGolden = (t: ExecutionContext, name: string, text: string): void => {
  const folder = fileURLToPath(new URL('golden/', import.meta.url))
  if (process.env.GOLDEN === 'write') {
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${folder}${name}`, `${text}\n`)
  }
  t.true(existsSync(`${folder}${name}`), `no golden text ${name}: run with GOLDEN=write`)
  t.is(`${text}\n`, readFileSync(`${folder}${name}`, 'utf8'))
}

test('a zone two levels down changes an application by itself; inside a privacy zone its state is named', async (t) => {
  const tree = await startLands(t)
  await until('kassel-1-a to run both', async () =>
    (await runsAt(tree, 'kassel-1-a')).length === 2 ? true : undefined,
  )
  await until('munich-1-a to run the shop', async () =>
    (await runsAt(tree, 'munich-1-a')).length === 1 ? true : undefined,
  )
  const change = (at: string) =>
    tree.apply('applications', application('till').replace('version: "1"', 'version: "2"'), at)
  const place = (at: string) =>
    tree.apply('application-deployments', deployment('till', 'all-sites: true').replace('"1"', '"2"'), at)
  await change('hesse-agg')
  await until('hesse to be let sign', () => place('hesse-agg').catch(() => undefined))
  await until('version 2 at kassel-1', async () => {
    const found = await tree.node('kassel-1-a').services.state.serviceInstances('till', asked)
    return found?.some((one) => one['application-version'] === '2' && one.ready) ? true : undefined
  })
  const refused = await answer(() => change('munich-agg').then(() => place('munich-agg')))
  t.regex(refused, /the tenant's authority has delegated signing to \/de\/bavaria: ask its operators/)
})
