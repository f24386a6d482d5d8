import type { DeploymentStateView, ExplainView, ImageView } from '../../node/index.ts'
import { aggregatorReplaced } from './aggregator-replaced.ts'
import { attacksRefused } from './attacks-refused.ts'
import { blockedSite } from './blocked-site.ts'
import { enrolment } from './enrolment.ts'
import { everySiteAnswers } from './every-site.ts'
import { cutPower } from './power-cut.ts'
import { brokenSpecification, shopArchive, shopDeployment, shopSpecification } from './shop.ts'
import { answered, containerOf, type DemoStep, endNode, file, isSame, must, pidsOf, settled, webPort } from './step.ts'

const placement: DemoStep = {
  name: 'placement',
  proves: 'an application goes to the sites whose labels match, and its containers run',
  run: async (world) => {
    const image = file(world, 'shop-image.tar', await shopArchive())
    const specification = file(
      world,
      'shop-1.yaml',
      `${shopSpecification('1', world.driver)}---\n${shopDeployment('1')}`,
    )
    await world.skerry(['apply', '-f', specification, '--image', image])
    const instances = await settled(world, '1')
    const [deployment, images] = await Promise.all([
      world.get<DeploymentStateView>(world.node('tower'), '/v1/state/application-deployments/shop-everywhere'),
      world.get<readonly ImageView[]>(world.node('tower'), '/v1/state/images'),
    ])
    must(deployment.sites.includes(world.node('edge').site), 'the deployment does not name the site')
    return {
      placement: 'system/type = edge',
      sites: deployment.sites,
      instances: instances.map(({ name, host }) => ({ name, host })),
      pids: pidsOf(instances),
      image: images[0]?.digest,
      'spec-hashes': Object.fromEntries(
        instances.flatMap(({ containers }) => containers.map((one) => [one.name, one['spec-hash']])),
      ),
    }
  },
}

const request: DemoStep = {
  name: 'http-request',
  proves: 'a container answers HTTP at a port of the host',
  run: async (world) => {
    const instances = await settled(world, '1')
    const body = await answered(world, instances, 'hello from shop version 1')
    return { port: webPort(instances), addresses: instances.flatMap(({ ips }) => ips), body }
  },
}

const tillPids = (instances: Parameters<typeof pidsOf>[0]) =>
  pidsOf(instances.filter(({ service }) => service === 'till'))

const restart: DemoStep = {
  name: 'killed-process',
  proves: 'a killed process is started again, alone',
  run: async (world) => {
    const before = await settled(world, '1')
    const victim = containerOf(before, 'web')
    process.kill(victim.pid, 'SIGKILL')
    const after = await settled(world, '1', {
      accept: (instances) => containerOf(instances, 'web').pid !== victim.pid,
    })
    must(isSame(tillPids(after), tillPids(before)), 'a till was restarted too')
    const body = await answered(world, after, 'hello from shop version 1')
    const { 'last-exit': lastExit, 'total-restarts': restarts } = containerOf(after, 'web')
    must(lastExit?.reason === 'killed', `the exit was told as ${lastExit?.reason}, not as killed`)
    return { before: pidsOf(before), after: pidsOf(after), 'last-exit': lastExit, restarts, body }
  },
}

const limits: DemoStep = {
  name: 'limits',
  proves: 'memory and processor limits hold, read back inside the container',
  unproven: ({ driver }) => (driver === 'process' ? 'plain processes have no limits' : undefined),
  run: async (world) => {
    const web = (await settled(world, '1')).find(({ service }) => service === 'web')?.name ?? ''
    const read = async (...paths: string[]) => {
      const script = paths.map((path) => `cat ${path} 2>/dev/null`).join(' || ')
      const ran = await world.skerry(['exec', 'shop', '--instance', web, '--', '/bin/sh', '-c', script])
      return ran.stdout.trim()
    }
    const memory = await read('/sys/fs/cgroup/memory/memory.limit_in_bytes', '/sys/fs/cgroup/memory.max')
    const cpu = await read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us', '/sys/fs/cgroup/cpu.max')
    must(Number(memory) === 64 * 2 ** 20, `memory reads ${memory}, not 64 MiB`)
    must(cpu.startsWith('20000'), `the processor quota reads ${cpu}, not 20000 of 100000 µs`)
    return { 'memory-bytes': Number(memory), 'cpu-quota-us': cpu }
  },
}

const upgrade: DemoStep = {
  name: 'upgrade-and-rollback',
  proves: 'version 2 replaces what changed, a rollback brings version 1 back, the rest is not touched',
  run: async (world) => {
    const before = await settled(world, '1')
    const two = file(world, 'shop-2.yaml', `${shopSpecification('2', world.driver)}---\n${shopDeployment('2')}`)
    await world.skerry(['apply', '-f', two])
    const upgraded = await settled(world, '2', {
      accept: (all) => containerOf(all, 'web').pid !== containerOf(before, 'web').pid,
    })
    const bodyTwo = await answered(world, upgraded, 'hello from shop version 2')
    await world.skerry(['rollback', 'shop-everywhere'])
    const back = await settled(world, '1', {
      accept: (all) => containerOf(all, 'web').pid !== containerOf(upgraded, 'web').pid,
    })
    const bodyOne = await answered(world, back, 'hello from shop version 1')
    const tills = [before, upgraded, back].map(tillPids)
    must(
      tills.every((pids) => isSame(pids, tills[0])),
      `a till was restarted: ${JSON.stringify(tills)}`,
    )
    return {
      'till-pids': tills,
      'web-pids': [before, upgraded, back].map((instances) => containerOf(instances, 'web').pid),
      bodies: [bodyTwo, bodyOne],
    }
  },
}

const nodeRestart: DemoStep = {
  name: 'edge-node-restarted',
  proves: 'the node program stops and starts without touching a container',
  run: async (world) => {
    const before = await settled(world, '1')
    const edge = world.node('edge')
    const old = edge.pid
    await endNode(world, edge, 'SIGTERM')
    await world.up()
    const after = await settled(world, '1')
    must(isSame(pidsOf(after), pidsOf(before)), 'a container was restarted')
    must(world.node('edge').pid !== old, 'the edge node is still the old process')
    return { node: [old, world.node('edge').pid], before: pidsOf(before), after: pidsOf(after) }
  },
}

const powerCut: DemoStep = {
  name: 'power-cut',
  proves: 'after a power cut, with the tower away, everything runs again from the local disk',
  run: async (world) => {
    const before = await settled(world, '1')
    const cut = await cutPower(world)
    const isNew = (all: Parameters<typeof pidsOf>[0]) =>
      Object.entries(pidsOf(all)).every(([container, pid]) => pid !== pidsOf(before)[container])
    const after = await settled(world, '1', { accept: isNew, timeoutMs: 60_000 })
    const body = await answered(world, after, 'hello from shop version 1')
    const evidence = { ...cut, before: pidsOf(before), after: pidsOf(after), body }
    await world.up()
    await settled(world, '1', { accept: (all) => isSame(pidsOf(all), pidsOf(after)) })
    return { ...evidence, 'tower-back': world.node('tower').pid }
  },
}

const explained: DemoStep = {
  name: 'explained',
  proves: 'an application that cannot run is explained: where it stopped, why, and what to do',
  run: async (world) => {
    await world.skerry(['apply', '-f', file(world, 'broken.yaml', brokenSpecification(world.driver))])
    const { site } = world.node('edge')
    const told = await world.until('an explanation', 20_000, async () => {
      const told = await world.get<ExplainView>(
        world.node('tower'),
        `/v1/state/applications/broken/explain?site=${site}`,
      )
      return told.reason === 'start-failed' || told.reason === 'crash-loop' || told.reason === 'backing-off'
        ? told
        : undefined
    })
    const ran = await world.skerry(['explain', 'broken', '--site', site], 1)
    const shop = await settled(world, '1')
    return {
      'stopped-at': told['stopped-at'],
      reason: told.reason,
      advice: told.advice,
      text: ran.stdout,
      'still-running': pidsOf(shop),
    }
  },
}

/** In this order: each leaves the shop at version 1 everywhere. */
export const demoSteps: readonly DemoStep[] = [
  enrolment,
  placement,
  request,
  everySiteAnswers,
  restart,
  limits,
  blockedSite,
  upgrade,
  nodeRestart,
  powerCut,
  attacksRefused,
  aggregatorReplaced,
  explained,
]
