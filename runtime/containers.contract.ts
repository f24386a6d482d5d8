import type { TestFn } from 'ava'
import type { Containers } from './containers.ts'
import { type ContractHost, createStage, eventually, type Stage, tenant } from './contract-stage.contract.ts'

export { type ContractHost, eventually, processClock } from './contract-stage.contract.ts'

const textOf = async (records: AsyncIterable<{ readonly bytes: Uint8Array }>): Promise<string> => {
  const parts: Uint8Array[] = []
  for await (const { bytes } of records) parts.push(bytes)
  return Buffer.concat(parts).toString()
}

const exited = (stage: Stage, id: string, from?: Containers) =>
  eventually(stage.t, `${id} has ended`, async () => {
    const found = await stage.find(id, from)
    return found?.state === 'exited' ? found : undefined
  })

const logText = async ({ containers, owner }: Stage, tailBytes = 65_536) =>
  textOf(containers.readLog(owner(), { tailBytes, follow: false }))

type Case = (stage: Stage) => Promise<void>

/** Cases that need an image bring it themselves, so that each can run alone. */
const withImage =
  (work: Case): Case =>
  async (stage) => {
    await stage.containers.importImage(stage.host.archive.path)
    await work(stage)
  }

const imageCases: Readonly<Record<string, Case>> = {
  'imports an image, once or twice, and lists it': async ({ t, host, containers }) => {
    const [image] = await containers.importImage(host.archive.path)
    t.is(image?.name, host.archive.image)
    await containers.importImage(host.archive.path)
    const listed = (await containers.observe()).images.filter(({ name }) => name === host.archive.image)
    t.deepEqual(
      listed.map(({ digest }) => digest),
      [image!.digest],
    )
  },
  'refuses a file that is no image and keeps nothing of it': async ({ t, host, containers }) => {
    const before = (await containers.observe()).images
    await t.throwsAsync(containers.importImage(host.badArchivePath), { code: 'bad-image' })
    t.deepEqual((await containers.observe()).images, before)
  },
  'will not start without the image': async ({ t, containers, network, owner, spec }) => {
    await containers.attachNetwork(network())
    const start = containers.startContainer(owner(), spec({ image: 'contract/absent:1' }))
    await t.throwsAsync(start, { code: 'image-missing' })
    t.false((await containers.observe()).containers.some(({ owner: one }) => one.instance === owner().instance))
  },
}

const lifeCases: Readonly<Record<string, Case>> = {
  'starts a container and lists it with its owner as given': async (stage) => {
    const { t, host, owner } = stage
    const started = await stage.start(host.programs.forever)
    const found = await stage.find(started.id)
    t.deepEqual(found?.owner, owner())
    t.is(found?.state, 'running')
    t.true((found?.pid ?? 0) > 0)
    t.is(found?.pid, started.pid)
  },
  'tells the exit code': async (stage) => {
    const { id } = await stage.start(stage.host.programs.exit(7))
    const found = await exited(stage, id)
    stage.t.is(found.exitCode, 7)
    stage.t.is(found.exitReason, 'exited')
    stage.t.is(found.pid, 0)
  },
  'tells a kill from outside': async (stage) => {
    const started = await stage.start(stage.host.programs.forever)
    await stage.host.kill(started)
    const found = await exited(stage, started.id)
    stage.t.is(found.exitReason, 'killed')
    stage.t.is(found.exitCode, 137)
  },
  'removes a running container, and does not mind doing it again': async (stage) => {
    const { t, containers } = stage
    const { id } = await stage.start(stage.host.programs.forever)
    await containers.removeContainer(id, { shutdownTimeoutMs: 2_000 })
    t.is(await stage.find(id), undefined)
    await t.notThrowsAsync(containers.removeContainer(id, { shutdownTimeoutMs: 2_000 }))
  },
  'starts the same owner again after removal': async (stage) => {
    const first = await stage.start(stage.host.programs.exit(1))
    await exited(stage, first.id)
    await stage.containers.removeContainer(first.id, { shutdownTimeoutMs: 1_000 })
    const second = await stage.start(stage.host.programs.forever)
    stage.t.is((await stage.find(second.id))?.state, 'running')
  },
  'starts several at once': async (stage) => {
    const names = ['a', 'b', 'c', 'd']
    await stage.containers.attachNetwork(stage.network())
    const all = await Promise.all(names.map((container) => stage.start(stage.host.programs.forever, { container })))
    const states = await Promise.all(all.map(async ({ id }) => (await stage.find(id))?.state))
    stage.t.deepEqual(states, ['running', 'running', 'running', 'running'])
    stage.t.is(new Set(all.map(({ id }) => id)).size, 4)
  },
  'wakes a watcher when a container ends': async (stage) => {
    const started = await stage.start(stage.host.programs.forever)
    let wakes = 0
    const unwatch = stage.containers.watch(() => {
      wakes += 1
    })
    await stage.host.kill(started)
    await eventually(stage.t, 'a wake', () => (wakes > 0 ? true : undefined))
    unwatch()
    stage.t.true(wakes > 0)
  },
}

const restartCases: Readonly<Record<string, Case>> = {
  'a new driver finds what runs, untouched, and can end it': async (stage) => {
    const { t, containers } = stage
    const started = await stage.start(stage.host.programs.forever)
    await containers.stop()
    const next = await stage.open()
    const found = await stage.find(started.id, next)
    t.is(found?.state, 'running')
    t.is(found?.pid, started.pid)
    t.deepEqual(found?.owner, started.owner)
    await next.removeContainer(started.id, { shutdownTimeoutMs: 2_000 })
    t.is(await stage.find(started.id, next), undefined)
  },
  'a new driver learns of an end it was not there for': async (stage) => {
    const started = await stage.start(stage.host.programs.forever)
    await stage.containers.stop()
    await stage.host.kill(started)
    const next = await stage.open()
    const found = await exited(stage, started.id, next)
    stage.t.is(found.exitReason, 'killed')
  },
  'a new driver still has images and networks': async (stage) => {
    const { t, host, network } = stage
    const [low] = host.portRange
    const ports = [{ protocol: 'tcp' as const, containerPort: 80, hostPort: low }]
    await stage.containers.attachNetwork(network({ ports }))
    await stage.containers.stop()
    const seen = await (await stage.open()).observe()
    t.true(seen.images.some(({ name }) => name === host.archive.image))
    t.deepEqual(seen.networks.find(({ instance }) => instance === stage.instance)?.ports, ports)
  },
}

const logCases: Readonly<Record<string, Case>> = {
  'keeps what a container wrote, over a restart of its owner': async (stage) => {
    const { t } = stage
    const { id } = await stage.start(stage.host.programs.say('first words'))
    await eventually(t, 'the words', async () => (await logText(stage)).includes('first words') || undefined)
    await stage.containers.removeContainer(id, { shutdownTimeoutMs: 1_000 })
    await stage.start(stage.host.programs.say('second words'))
    await eventually(t, 'more words', async () => (await logText(stage)).includes('second words') || undefined)
    t.regex(await logText(stage), /first words[\s\S]*second words/)
    t.is((await logText(stage, 6)).trim(), 'words')
  },
  'follows a log until it is told to stop': async (stage) => {
    const { t, containers, owner } = stage
    const over = new AbortController()
    const first = await stage.start(stage.host.programs.say('one'))
    let text = ''
    const reading = (async () => {
      const options = { tailBytes: 1_024, follow: true, signal: over.signal }
      for await (const { bytes } of containers.readLog(owner(), options)) text += Buffer.from(bytes).toString()
    })()
    await eventually(t, 'one', () => text.includes('one') || undefined)
    await containers.removeContainer(first.id, { shutdownTimeoutMs: 1_000 })
    await stage.start(stage.host.programs.say('two'))
    await eventually(t, 'two', () => text.includes('two') || undefined)
    over.abort()
    await reading
    t.regex(text, /one[\s\S]*two/)
  },
  'cuts a log that outgrew its bound, oldest first': async (stage) => {
    const { t } = stage
    const big = stage.host.programs.say(`${'x'.repeat(60_000)} the end`)
    await stage.start({ ...big, logSizeBytes: 8_192 })
    await eventually(t, 'all of it', async () => (await logText(stage, 100_000)).includes('the end') || undefined)
    await stage.containers.trimLogs()
    const text = await logText(stage, 100_000)
    t.true(text.length <= 8_192, `${text.length} bytes are left`)
    t.true(text.includes('the end'))
  },
}

const execCases: Readonly<Record<string, Case>> = {
  'runs a command and gives its output and code': async (stage) => {
    const { t, containers, host } = stage
    const { id } = await stage.start(host.programs.forever)
    const hello = await containers.exec(id, { args: host.commands.hello, timeoutMs: 10_000, maxOutputBytes: 1_024 })
    t.is(Buffer.from(hello.stdout).toString().trim(), 'hello')
    t.is(hello.exitCode, 0)
    t.false(hello.truncated)
    const three = await containers.exec(id, { args: host.commands.exit3, timeoutMs: 10_000, maxOutputBytes: 1_024 })
    t.is(three.exitCode, 3)
    const cut = await containers.exec(id, { args: host.commands.hello, timeoutMs: 10_000, maxOutputBytes: 2 })
    t.is(Buffer.from(cut.stdout).toString(), 'he')
    t.true(cut.truncated)
  },
  'ends a command that takes too long': async (stage) => {
    const { id } = await stage.start(stage.host.programs.forever)
    const hang = stage.containers.exec(id, { args: stage.host.commands.hang, timeoutMs: 500, maxOutputBytes: 64 })
    await stage.t.throwsAsync(hang, { code: 'timeout' })
    stage.t.is((await stage.find(id))?.state, 'running')
  },
  'runs no command in what does not run, nor one that is not there': async (stage) => {
    const { t, containers, host } = stage
    const { id } = await stage.start(host.programs.forever)
    const absent = containers.exec(id, { args: ['/no/such/program'], timeoutMs: 5_000, maxOutputBytes: 64 })
    await t.throwsAsync(absent, { code: 'exec-failed' })
    await containers.removeContainer(id, { shutdownTimeoutMs: 1_000 })
    const gone = containers.exec(id, { args: host.commands.hello, timeoutMs: 5_000, maxOutputBytes: 64 })
    await t.throwsAsync(gone, { code: 'not-running' })
  },
}

const networkCases: Readonly<Record<string, Case>> = {
  'attaches a network, once or twice, and takes it away, once or twice': async (stage) => {
    const { t, containers, network, host, instance } = stage
    const ports = [{ protocol: 'tcp' as const, containerPort: 80, hostPort: host.portRange[0] }]
    const first = await containers.attachNetwork(network({ ports }))
    const again = await containers.attachNetwork(network({ ports }))
    t.deepEqual(again, first)
    t.like(first, { instance, tenant, networkHash: 'sha256:network', state: 'attached', ports })
    const listed = (await containers.observe()).networks.find((one) => one.instance === instance)
    t.deepEqual(listed, first)
    t.not(await containers.addressOf(instance, tenant, 80), undefined)
    await containers.detachNetwork(tenant, instance)
    await containers.detachNetwork(tenant, instance)
    t.false((await containers.observe()).networks.some((one) => one.instance === instance))
  },
  'a network that comes where one went answers at a place of its own': async (stage) => {
    const { t, containers, network, host, instance, other } = stage
    const spec = (name: string, at: number) =>
      network({
        instance: name,
        ports: [{ protocol: 'tcp' as const, containerPort: 80, hostPort: host.portRange[0] + at }],
      })
    const placeOf = async (name: string) => JSON.stringify(await containers.addressOf(name, tenant, 80))
    await containers.attachNetwork(spec(other, 0))
    await containers.attachNetwork(spec(instance, 1))
    await containers.detachNetwork(tenant, other)
    await containers.attachNetwork(spec(other, 2))
    t.not(await placeOf(instance), await placeOf(other))
  },
  'gives a host port to one instance only': async (stage) => {
    const { t, containers, network, host, other } = stage
    const ports = [{ protocol: 'tcp' as const, containerPort: 80, hostPort: host.portRange[0] }]
    await containers.attachNetwork(network({ ports }))
    await t.throwsAsync(containers.attachNetwork(network({ ports, instance: other })), { code: 'port-taken' })
    t.false((await containers.observe()).networks.some((one) => one.instance === other))
    await containers.detachNetwork(tenant, network().instance)
    await t.notThrowsAsync(containers.attachNetwork(network({ ports, instance: other })))
  },
}

/**
 * The suite every driver passes. Each test is named `contract containers · <adapter> · <sentence>`.
 * @param setup called once per test; may hand out the same machine each time
 */
export const containersContract = (test: TestFn, adapter: string, setup: () => Promise<ContractHost>): void => {
  const alone: Readonly<Record<string, Case>> = imageCases
  const rest: Readonly<Record<string, Case>> = {
    ...lifeCases,
    ...restartCases,
    ...logCases,
    ...execCases,
    ...networkCases,
  }
  for (const [sentence, work] of [
    ...Object.entries(alone),
    ...Object.entries(rest).map(([name, one]) => [name, withImage(one)] as const),
  ])
    test.serial(`contract containers · ${adapter} · ${sentence}`, async (t) => {
      await work(await createStage(t, setup))
    })
}
