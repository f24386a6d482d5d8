import test from 'ava'
import fc from 'fast-check'
import { chooseSiblings, ringOf, type SiblingPeer, siblingsPerSite } from './choose-siblings.ts'

const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`))
const peer: fc.Arbitrary<SiblingPeer> = fc.record({
  site: hex(4),
  key: hex(8),
  address: fc.constant('198.51.100.1:18100'),
})
const peers = fc.uniqueArray(peer, { selector: ({ key }) => key, maxLength: 30 })
const choose = (site: string, all: readonly SiblingPeer[]) => chooseSiblings(site, ringOf(all))

test('siblings are hosts of other sites, at most two, of two sites where there are two, and always the same', (t) => {
  fc.assert(
    fc.property(hex(4), peers, (site, all) => {
      const chosen = choose(site, all)
      const others = all.filter((one) => one.site !== site)
      const sites = new Set(others.map((one) => one.site))
      t.true(chosen.every((one) => others.includes(one)))
      t.is(new Set(chosen.map(({ key }) => key)).size, chosen.length)
      t.is(chosen.length, Math.min(siblingsPerSite, others.length))
      t.is(new Set(chosen.map((one) => one.site)).size, Math.min(siblingsPerSite, sites.size))
      t.deepEqual(choose(site, all.toReversed()), chosen)
    }),
  )
})

test('a site that comes or goes changes the choice of no more than the two sites before it', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(hex(4), { minLength: 1, maxLength: 30 }), hex(4), (names, fresh) => {
      const hosts = [...new Set([...names, fresh])].map((site) => ({ site, key: `${site}-key`, address: '' }))
      const before = hosts.filter(({ site }) => site !== fresh)
      const changed = before.filter(
        ({ site }) => JSON.stringify(choose(site, before)) !== JSON.stringify(choose(site, hosts)),
      )
      t.true(changed.length <= siblingsPerSite, changed.map(({ site }) => site).join())
    }),
  )
})

test('where every site may be a sibling each is one for exactly two others', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(hex(4), { minLength: 3, maxLength: 40 }), (names) => {
      const hosts = names.map((site) => ({ site, key: `${site}-key`, address: '' }))
      const served = names.flatMap((site) => choose(site, hosts).map((one) => one.site))
      for (const name of names) t.is(served.filter((site) => site === name).length, siblingsPerSite)
    }),
  )
})
