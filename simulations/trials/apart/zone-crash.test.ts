import test from 'ava'
import { parseTopology } from '../../../topologies/index.ts'
import { bringUp, createWorld, type World } from '../../world/index.ts'

const topologyText = `version: 1
network: crash
towers:
  site: head
  hosts: [{ name: tower }]
zones:
  - name: north
    aggregators:
      hosts: [{ name: north }]
    sites:
      - name: n1
        hosts: [{ name: n1a }]
`
const imageName = 'demo:1'
const asked = { caller: { tenant: 'default', user: 'operator' }, signal: new AbortController().signal } as const

const documentsOf = (version: string): string => `name: shop
version: "${version}"
services:
  - name: main
    mode: one-per-matching-host
    containers:
      - name: web
        image: ${imageName}
        env: { VERSION: "${version}" }
---
name: everywhere
application: shop
application-version: "${version}"
placement: { all-sites: true }
`

const apply = (world: World, at: string, version: string) =>
  world.node(at)?.services.config.writeAll({
    ...asked,
    files: [{ text: documentsOf(version), source: 'shop.yaml' }],
    effect: 'apply',
    images: [],
  })

const versionAt = (world: World) =>
  (world.machine('n1a').host?.containers() ?? []).filter(({ state }) => state === 'running').length

/** A zone that is cut off and stops at its k-th write after an operator changed something there. */
const run = async (
  t: { readonly log: (text: string) => void },
  seed: number,
  crashAt: number,
  how: 'kill' | 'power',
) => {
  const world = await createWorld({
    seed,
    topology: parseTopology(topologyText, 'crash.yaml'),
    images: [{ name: imageName, bytes: Buffer.from(`${imageName} `.repeat(400)) }],
  })
  const started: string[] = []
  let left = Number.POSITIVE_INFINITY
  world.observe({
    act: (_machine, act) => {
      if (act.kind === 'start') started.push(act.spec.env.VERSION ?? '')
    },
    write: (machine) => {
      if (machine === 'north' && --left === 0) world.machine('north').crash(how)
    },
  })
  let isUp = false
  void bringUp(world)
    .then(() => apply(world, 'tower', '1'))
    .then(() => {
      isUp = true
    })
  await world.runUntil(60_000, () => isUp && versionAt(world) === 1)
  await world.runUntil(world.nowMs() + 20_000)
  world.network.paths.close('north', 'tower')
  world.network.paths.close('tower', 'north')
  left = crashAt
  let outcome = 'nothing'
  void apply(world, 'north', '2-north')?.then(
    () => {
      outcome = 'acknowledged'
    },
    () => {
      outcome = 'refused'
    },
  )
  await world.runUntil(world.nowMs() + 5_000)
  const isCrashed = left <= 0
  if (isCrashed && !world.machine('north').isRunning()) world.machine('north').start()
  await world.runUntil(world.nowMs() + 60_000)
  const config = await world.settled(
    world.node('north')?.services.config.read('application-deployments', 'everywhere', asked) ??
      Promise.resolve(undefined),
  )
  const wanted = String(config?.value['application-version'])
  const last = started.at(-1)
  t.log(`${how} at write ${crashAt}: ${outcome}, wants ${wanted}, ran ${started.join(' ')}`)
  return { outcome, isCrashed, wanted, last, starts: started.length }
}

for (const how of ['kill', 'power'] as const)
  test.serial(
    `what a cut-off zone acknowledged is there after it stopped at any write (${how}), and is done once`,
    async (t) => {
      let crashed = 0
      for (let crashAt = 1; crashAt <= 14; crashAt++) {
        const { outcome, isCrashed, wanted, last, starts } = await run(t, 40 + crashAt, crashAt, how)
        if (isCrashed) crashed++
        // Acknowledged, it is there; else it is there whole or not at all, and the site does what the zone says.
        if (outcome === 'acknowledged') t.is(wanted, '2-north')
        t.true(['1', '2-north'].includes(wanted))
        t.is(last, wanted)
        t.is(starts, wanted === '1' ? 1 : 2)
      }
      t.true(crashed >= 8, `only ${crashed} crashes`)
    },
  )
