import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { createSeededRandom, silentLog } from '../base/index.ts'
import { eventually, processClock } from './containers.contract.ts'
import type { DesiredApplication } from './desired.ts'
import { createNetProbes } from './net-probes.ts'
import { buildArchive, openArchive } from './oci/index.ts'
import { createProcessContainers, processLabel } from './process/index.ts'
import { createReconciler } from './reconciler.ts'
import { sampleApplication, sampleContainer, sampleInstance } from './sample-desired.ts'

const program = `
import { createServer } from 'node:http'
createServer((_, answer) => answer.end('pid ' + process.pid)).listen(process.env.SKERRY_PORT_80, process.env.SKERRY_HOST)
`
const archivePaths = new Map<string, string>()

const buildSite = async () => {
  const dir = await mkdtemp(join(tmpdir(), 'skerry-r-'))
  const path = join(dir, 'shop.tar')
  const labels = { [processLabel]: '["server.mjs"]' }
  const files = [{ path: 'server.mjs', data: program }]
  await writeFile(path, await buildArchive({ name: 'demo/shop:1', files, config: { labels } }))
  const archive = await openArchive(path)
  const digest = archive.images[0]!.digest
  await archive.close()
  archivePaths.set('shop', path)
  const check = { kind: 'http' as const, port: 80, path: '/' }
  const readiness = {
    check,
    initialDelayMs: 0,
    periodMs: 100,
    timeoutMs: 1_000,
    failureThreshold: 1,
    successThreshold: 1,
  }
  const instance = sampleInstance({
    ingress: [{ protocol: 'tcp', port: 80 }],
    containers: [sampleContainer({ spec: { image: 'demo/shop:1' }, probes: { readiness } })],
  })
  const images = [{ name: 'demo/shop:1', digest, archive: 'shop' }]
  const app: DesiredApplication = sampleApplication({ instances: [instance], images })
  let seed = 1
  const startNode = (desired: readonly DesiredApplication[]) => {
    const random = createSeededRandom(seed++)
    const containers = createProcessContainers({ dataDir: join(dir, 'data'), clock: processClock, random })
    const reconciler = createReconciler({
      containers,
      images: { fetch: async ({ archive: name }) => archivePaths.get(name) ?? '' },
      probes: createNetProbes(),
      clock: processClock,
      log: silentLog,
      portRange: [23_420, 23_429],
    })
    reconciler.setDesired(desired)
    reconciler.start()
    const one = () => reconciler.status().applications[0]?.instances[0]
    const stop = async () => {
      await reconciler.stop()
      await containers.stop()
    }
    return { reconciler, one, stop }
  }
  return { dir, app, startNode }
}

test('from an archive to an answered request; over a crash, a restart of the node, to retirement', async (t) => {
  const { dir, app, startNode } = await buildSite()
  t.teardown(() => rm(dir, { recursive: true, force: true }))

  const first = startNode([app])
  t.teardown(first.stop)
  await eventually(t, 'it is ready', () => first.one()?.ready || undefined)
  const port = first.one()!.ports[0]!.hostPort
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/`)).text()
  const pid = first.one()!.containers[0]!.pid
  t.is(await ask(), `pid ${pid}`)

  process.kill(pid, 'SIGKILL')
  const again = await eventually(t, 'it is ready again', () => {
    const container = first.one()?.containers[0]
    return container?.ready && container.pid !== pid ? container : undefined
  })
  t.like(again, { totalRestarts: 1, lastExit: { code: 137, reason: 'killed' } })
  await first.stop()

  const second = startNode([app])
  t.teardown(second.stop)
  await eventually(t, 'it is seen ready', () => second.one()?.ready || undefined)
  t.is(second.one()?.containers[0]?.pid, again.pid)
  t.is(await ask(), `pid ${again.pid}`)

  second.reconciler.setDesired([{ ...app, phase: 'retired', instances: [] }])
  await eventually(
    t,
    'it is gone',
    () => second.reconciler.status().applications[0]?.instances.length === 0 || undefined,
  )
  await t.throwsAsync(ask())
})
