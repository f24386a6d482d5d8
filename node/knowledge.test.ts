import test from 'ava'
import { createManualClock } from '../base/index.ts'
import { createFleet } from './knowledge.ts'
import type { CarriedHost } from './reports.ts'

const hosts = Array.from({ length: 300 }, (_, at) => ({ site: `s${at}`, host: `h${at}`, node: `h${at}` }))
const carried = ({ site, host, node }: (typeof hosts)[number]): CarriedHost => ({
  snapshot: new Uint8Array(),
  certificate: new Uint8Array(),
  hash: '1/1',
  report: { site, host, node, link: 'up', linkForMs: 0, receivedAgeMs: 0, intendedOrder: 3 },
})

const createScene = () => {
  const clock = createManualClock()
  const asked = { links: 0 }
  const links = new Map(hosts.map(({ node }) => [node, true]))
  const fleet = createFleet({
    clock,
    expected: hosts,
    children: () => {
      asked.links += 1
      return [...links].map(([peer, up]) => ({ peer, up, forMs: 7, heardAgeMs: up ? 3_000 : 45_000 }))
    },
    intendedOrder: () => undefined,
  })
  return { clock, asked, links, fleet }
}

test('links are looked at once for all hosts that are reported', (t) => {
  const { fleet, asked, clock } = createScene()
  for (const host of hosts) fleet.note(host.node, [carried(host)])
  clock.advance(50)
  t.is(fleet.reports().filter(({ link }) => link === 'up').length, hosts.length)
  t.is(asked.links, 1)
  t.is(fleet.carried().length, hosts.length)
  t.is(asked.links, 2)
})

test('the hosts of one site are those that all reports have of it', (t) => {
  const { fleet, links, clock } = createScene()
  for (const host of hosts.slice(0, 2)) fleet.note(host.node, [carried(host)])
  links.set('h1', false)
  clock.advance(1_000)
  for (const { site } of hosts.slice(0, 3))
    t.deepEqual(
      fleet.reportsOf(site),
      fleet.reports().filter((report) => report.site === site),
    )
  t.deepEqual(
    fleet
      .reports()
      .map(({ link }) => link)
      .slice(0, 3),
    ['up', 'down', 'never'],
  )
  t.deepEqual(fleet.reportsOf('elsewhere'), [])
})

test('a host that does not belong here, or to another site, is not taken', (t) => {
  const { fleet } = createScene()
  const [first] = hosts
  if (first === undefined) return t.fail()
  fleet.note('h0', [carried({ ...first, site: 's1' }), carried({ ...first, node: 'other' })])
  t.deepEqual(fleet.carried(), [])
})

test('a child was heard when its link says, however long it has had nothing to say, also once the link is lost', (t) => {
  const { fleet, links, clock } = createScene()
  for (const host of hosts.slice(0, 2)) fleet.note(host.node, [carried(host)])
  // What one link carries of others is as old as it says.
  const far = hosts[2]
  if (far !== undefined) fleet.note('h0', [carried(far)])
  clock.advance(10_000)
  const ages = () =>
    fleet
      .reports()
      .slice(0, 3)
      .map(({ receivedAgeMs }) => receivedAgeMs)
  t.deepEqual(ages(), [3_000, 3_000, 10_000])
  clock.advance(40_000)
  links.set('h1', false)
  t.deepEqual(ages(), [3_000, 45_000, 50_000])
})
