import { siteText, topologyText, zoneText } from '../marks.ts'

/** Small trees that scenarios are played on, as the text of a topology file. */
export const places = {
  /** A tower with three sites of its own; one has two hosts. Five nodes. */
  flat: topologyText(
    'flat',
    [siteText('a1', ['a1a', 'a1b'], 'gold'), siteText('a2', ['a2a'], 'iron'), siteText('a3', ['a3a'], 'gold')],
    [],
  ),
  /** A tower and one zone of two sites. Five nodes. */
  oneZone: topologyText(
    'one-zone',
    [],
    [zoneText('north', [siteText('n1', ['n1a', 'n1b'], 'gold'), siteText('n2', ['n2a'], 'iron')])],
  ),
  /** A tower, a site of its own and two zones. Seven nodes. */
  twoZones: topologyText(
    'two-zones',
    [siteText('a1', ['a1a'], 'gold')],
    [
      zoneText('north', [siteText('n1', ['n1a'], 'gold')]),
      zoneText('south', [siteText('s1', ['s1a'], 'iron'), siteText('s2', ['s2a'], 'gold')]),
    ],
  ),
  /** One site of three hosts in a zone. Five nodes. */
  bigSite: topologyText('big-site', [], [zoneText('north', [siteText('n1', ['n1a', 'n1b', 'n1c'], 'gold')])]),
  /** A zone of two sites that two aggregators run. Six nodes. */
  twoGates: topologyText(
    'two-gates',
    [],
    [
      zoneText('west', [siteText('w1', ['w1a', 'w1b'], 'gold'), siteText('w2', ['w2a'], 'iron')], {
        aggregators: ['west-1', 'west-2'],
      }),
    ],
  ),
  /** A zone inside a zone. Six nodes. */
  nested: topologyText(
    'nested',
    [],
    [
      zoneText('north', [siteText('n1', ['n1a'], 'iron')], {
        zones: [zoneText('inner', [siteText('i1', ['i1a'], 'gold'), siteText('i2', ['i2a'], 'iron')])],
      }),
    ],
  ),
  /** A zone that keeps its own to itself, beside a site of the tower. Five nodes. */
  private: topologyText(
    'private',
    [siteText('a1', ['a1a'], 'gold')],
    [zoneText('east', [siteText('e1', ['e1a'], 'gold'), siteText('e2', ['e2a'], 'iron')], { privacy: true })],
  ),
  /** Three zones, one in the other, the innermost with one site. Five nodes. */
  deep: topologyText(
    'deep',
    [],
    [
      zoneText('outer', [], {
        zones: [zoneText('middle', [], { zones: [zoneText('core', [siteText('c1', ['c1a'], 'gold')])] })],
      }),
    ],
  ),
  /** One aggregator over eight sites. Ten nodes. */
  star: topologyText(
    'star',
    [],
    [
      zoneText(
        'hub',
        Array.from({ length: 8 }, (_, at) => siteText(`h${at}`, [`h${at}a`], at % 2 === 0 ? 'gold' : 'iron')),
      ),
    ],
  ),
} as const
