import { composeScenario } from '../compose-scenario.ts'
import { siteText, topologyText, zoneText } from '../marks.ts'

const inner = zoneText('inner', [
  siteText('i1', ['i1a'], 'gold'),
  siteText('i2', ['i2a'], 'iron'),
  siteText('i3', ['i3a'], 'iron'),
])
const text = topologyText(
  'twenty-nodes',
  [siteText('a1', ['a1a'], 'gold'), siteText('a2', ['a2a'], 'iron')],
  [
    zoneText('north', [siteText('n1', ['n1a', 'n1b'], 'gold'), siteText('n2', ['n2a'], 'iron')], { zones: [inner] }),
    zoneText('south', [
      siteText('s1', ['s1a', 's1b'], 'gold'),
      siteText('s2', ['s2a'], 'iron'),
      siteText('s3', ['s3a'], 'iron'),
    ]),
    zoneText(
      'east',
      [siteText('e1', ['e1a'], 'gold'), siteText('e2', ['e2a'], 'iron'), siteText('e3', ['e3a'], 'iron')],
      { privacy: true },
    ),
  ],
)

const minutes = 60_000

export const twentyNodes = composeScenario({
  name: 'twenty-nodes',
  summary: 'a tower, four zones, eleven sites; cuts, crashes, slow links, wrong clocks and full disks in any order',
  topology: text,
  faults: [
    'cut-link',
    'cut-one-way',
    'cut-zone',
    'reset-link',
    'slow-link',
    'kill-tower',
    'kill-aggregator',
    'kill-edge',
    'power-tower',
    'power-aggregator',
    'power-edge',
    'wall-1970',
    'wall-ahead',
    'disk-full',
    'engine-down',
    'container-ends',
  ],
  workload: ['deploy', 'upgrade', 'rollback', 'remove', 'block', 'allow'],
  times: {
    harmMs: 6 * minutes,
    faultEveryMs: [4_000, 16_000],
    moveEveryMs: [4_000, 25_000],
    convergeMs: 3 * minutes,
    settleMs: 1.5 * minutes,
    quietMs: 10 * minutes,
  },
})
