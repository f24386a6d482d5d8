import { readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { eventually } from '../containers.contract.ts'
import type { ContainerSpec } from '../containers.ts'
import { image } from './real-host.contract.ts'
import {
  exited,
  find,
  forever,
  output,
  owner,
  page,
  portOf,
  real,
  shimPids,
  spec,
  tenant,
} from './real-stage.contract.ts'

real('a container answers HTTP at its host port and at its own address', async (t, host, containers) => {
  const ports = [portOf(host)]
  await containers.attachNetwork({ instance: 'web.web-1', tenant, networkHash: 'h', ports })
  await containers.startContainer(owner(), spec('exec httpd -f -p 80 -h /www'))
  t.is(await eventually(t, 'a page', () => page(host)), 'hello from the image\n')
  const direct = await containers.addressOf('web.web-1', tenant, 80)
  t.is(await fetch(`http://${direct?.host}:${direct?.port}/`).then((answer) => answer.text()), 'hello from the image\n')
})

real('limits are what a container reads inside, and commands in it have them too', async (t, _host, containers) => {
  const limits = { memoryBytes: 64 * 1024 * 1024, cpuMillis: 200 }
  const { id } = await containers.startContainer(owner(), spec(forever, limits))
  const { cgroup } = await containers.facts()
  const read = (v1: string, v2: string) => output(containers, id, `cat /sys/fs/cgroup/${cgroup === 'v2' ? v2 : v1}`)
  t.is(await read('memory/memory.limit_in_bytes', 'memory.max'), '67108864')
  t.is((await read('cpu/cpu.cfs_quota_us', 'cpu.max')).split(' ')[0], '20000')
  t.is((await read('pids/pids.max', 'pids.max')).split(' ')[0], '4096')
})

real('a lack of memory is told from a kill and from an exit with the same code', async (t, host, containers) => {
  const memoryBytes = 16 * 1024 * 1024
  const hungry = 'exec tail -c 200m /dev/zero'
  const starve = (name: string) => owner({ container: name })
  const oom = await containers.startContainer(starve('oom'), spec(hungry, { memoryBytes }))
  const killed = await containers.startContainer(starve('killed'), spec(forever, { memoryBytes }))
  const child = await containers.startContainer(
    starve('child'),
    spec('tail -c 200m /dev/zero; exit 5', { memoryBytes }),
  )
  await host.kill(killed)
  t.like(await exited(t, containers, oom.id), { exitCode: 137, exitReason: 'oom' })
  t.like(await exited(t, containers, killed.id), { exitCode: 137, exitReason: 'killed' })
  t.like(await exited(t, containers, child.id), { exitCode: 5, exitReason: 'oom' })
})

real('a container gets its words, files, environment, user and rights', async (t, _host, containers) => {
  const mounts = [
    { kind: 'directory', path: '/etc/shop', files: { 'a.conf': 'A', 'b.conf': 'B' } },
    { kind: 'file', path: '/etc/motd', data: 'welcome' },
  ] as const
  const asked = spec(forever, { mounts, env: { GREETING: 'hi there' }, user: { uid: 1000, gid: 1001 } })
  const { id } = await containers.startContainer(owner(), asked)
  t.is(await output(containers, id, 'cat /etc/shop/a.conf /etc/shop/b.conf /etc/motd'), 'ABwelcome')
  t.is(await output(containers, id, 'echo $GREETING $FROM_IMAGE; id -u; id -g'), 'hi there yes\n1000\n1001')
  t.is(await output(containers, id, 'echo x > /etc/shop/a.conf 2>/dev/null || echo refused'), 'refused')
  t.regex(await output(containers, id, 'cat /proc/self/status'), /NoNewPrivs:\t1/)
  t.regex(await output(containers, id, 'cat /etc/hosts'), /127\.0\.0\.1 localhost/)
})

real('what cannot start says why and leaves nothing', async (t, host, containers) => {
  const start = (part: Partial<ContainerSpec>) => containers.startContainer(owner(), spec(forever, part))
  await t.throwsAsync(start({ entrypoint: ['/no/such'] }), { code: 'start-failed', message: /no such file/ })
  const outside = [{ kind: 'file', path: '/etc/../../x', data: '' }] as const
  await t.throwsAsync(start({ mounts: outside }), { code: 'start-failed', message: /cannot put files at/ })
  const slash = [{ kind: 'directory', path: '/x', files: { '../y': '' } }] as const
  await t.throwsAsync(start({ mounts: slash }), { code: 'start-failed', message: /a file named "..\/y"/ })
  t.deepEqual((await containers.observe()).containers, [])
  t.deepEqual(shimPids(host), [])
  t.deepEqual(readdirSync(`${host.options.dataDir}/containers`), [])
})

real('a port of the host that somebody listens at is taken', async (t, host, containers) => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(host.portRange[0], '127.0.0.1', resolve))
  const attach = () =>
    containers.attachNetwork({ instance: 'web.web-1', tenant, networkHash: 'h', ports: [portOf(host)] })
  await t.throwsAsync(attach(), { code: 'port-taken', message: new RegExp(`${host.portRange[0]}/tcp`) })
  t.deepEqual((await containers.observe()).networks, [])
  await new Promise((resolve) => server.close(resolve))
  t.is((await attach()).state, 'attached')
})

real('an image may be removed while a container made from it runs on', async (t, _host, containers) => {
  const { id, pid } = await containers.startContainer(owner(), spec(forever))
  await containers.removeImage(image)
  await containers.removeImage(image)
  t.deepEqual((await containers.observe()).images, [])
  t.is((await find(containers, id))?.pid, pid)
  t.is(await output(containers, id, 'cat /www/index.html'), 'hello from the image')
})

real('a followed log loses nothing over rotations', async (t, _host, containers) => {
  const lines = 'i=0; while [ $i -lt 400 ]; do echo line-$i-xxxxxxxxxxxxxxxxxxxx; i=$((i+1)); done'
  const over = new AbortController()
  const gated = `while [ ! -e /tmp/go ]; do sleep 0.05; done; rm /tmp/go; ${lines}`
  const { id } = await containers.startContainer(
    owner(),
    spec(`${gated}; ${gated}; ${forever}`, { logSizeBytes: 40_000 }),
  )
  let text = ''
  const reading = (async () => {
    const options = { tailBytes: 0, follow: true, signal: over.signal }
    for await (const { bytes } of containers.readLog(owner(), options)) text += Buffer.from(bytes).toString()
  })()
  const count = () => text.split('\n').filter((line) => line.startsWith('line-')).length
  await output(containers, id, 'touch /tmp/go')
  await eventually(t, 'the first half', () => (count() === 400 ? true : undefined))
  await containers.trimLogs()
  await output(containers, id, 'touch /tmp/go')
  await eventually(t, 'the second half', () => (count() === 800 ? true : undefined))
  over.abort()
  await reading
  t.is(text.match(/line-399-/g)?.length, 2)
})

real(
  'a stopping container gets its polite signal, and the kill when it does not listen',
  async (t, _host, containers) => {
    const polite = await containers.startContainer(
      owner(),
      spec('trap "echo bye; exit 0" TERM; while :; do sleep 0.1; done'),
    )
    const deaf = await containers.startContainer(
      owner({ container: 'deaf' }),
      spec('trap "" TERM; while :; do sleep 0.1; done'),
    )
    await eventually(t, 'traps are set', async () => (await output(containers, deaf.id, 'echo ok')) || undefined)
    await Promise.all([polite, deaf].map(({ id }) => containers.removeContainer(id, { shutdownTimeoutMs: 1_500 })))
    t.deepEqual((await containers.observe()).containers, [])
    let text = ''
    for await (const { bytes } of containers.readLog(owner(), { tailBytes: 100, follow: false }))
      text += Buffer.from(bytes).toString()
    t.is(text, 'bye\n')
  },
)
