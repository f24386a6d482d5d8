import type { DoneStep, SiteRow, WeekRecord } from './record.ts'

const minute = 60_000

export const stepOf = (given: Partial<DoneStep> & Pick<DoneStep, 'kind' | 'atMs'>): DoneStep => ({
  endMs: undefined,
  target: '',
  targetKind: '',
  sites: [],
  machines: [],
  version: '',
  readsMs: undefined,
  refused: undefined,
  answeredMs: undefined,
  ...given,
})

export const siteOf = (name: string, ran: readonly (readonly [minutes: number, version: string])[]): SiteRow => ({
  name,
  path: `/north/${name}`,
  depth: 2,
  hosts: [`${name}-a`],
  ran: ran.map(([from, version], at) => ({
    fromMs: from * minute,
    toMs: (ran[at + 1]?.[0] ?? 20) * minute,
    version,
    running: version === '' ? 0 : 1,
    others: 0,
  })),
  accepted: [],
  unheard: [],
  guest: [],
})

/** Twenty minutes of two sites of one zone: version 2 comes out at 5, while n2 is cut off from 2 to 10. */
export const sampleRecord = (given: Partial<WeekRecord> = {}): WeekRecord => ({
  network: 'sample',
  topologyFile: './sample.yaml',
  scenarioFile: undefined,
  plan: 'try',
  seed: 1,
  days: [],
  leftOut: [],
  zones: [
    { path: '/', name: 'sample', depth: 0, privacy: false, hosts: ['tower'] },
    { path: '/north', name: 'north', depth: 1, privacy: true, hosts: ['gate'] },
  ],
  sites: [
    siteOf('n1', [
      [0, '1'],
      [5, '2'],
    ]),
    {
      ...siteOf('n2', [
        [0, '1'],
        [10.5, '2'],
      ]),
      accepted: [{ atMs: 10.4 * minute, version: '2' }],
      unheard: [{ fromMs: 2 * minute, toMs: 10 * minute }],
    },
  ],
  nodes: 4,
  preparedMs: 3_000,
  tookMs: 20 * minute,
  healedMs: 15 * minute,
  convergedMs: 15 * minute,
  quietMs: 5 * minute,
  steps: [
    stepOf({
      kind: 'cut',
      atMs: 2 * minute,
      endMs: 10 * minute,
      target: 'n2',
      targetKind: 'site',
      sites: ['n2'],
      machines: ['n2-a'],
    }),
    stepOf({ kind: 'upgrade', atMs: 5 * minute, version: '2', answeredMs: 10 }),
  ],
  wanted: [
    { atMs: 0, version: '1' },
    { atMs: 5 * minute, version: '2' },
  ],
  share: [
    [0, 1],
    [5 * minute, 0.5],
    [10.5 * minute, 1],
  ],
  links: [
    {
      child: 'gate',
      parent: 'tower',
      scope: '/north',
      upBytes: 2_048,
      downBytes: 100,
      kinds: [{ kind: 'reports', upBytes: 2_048, downBytes: 100 }],
      withheld: ['names'],
      summarised: ['reports'],
    },
  ],
  checks: [{ invariant: 4, sentence: 'nothing healthy is touched', judged: 7, violations: [] }],
  events: 1_234,
  digest: 'ab'.repeat(32),
  ...given,
})
