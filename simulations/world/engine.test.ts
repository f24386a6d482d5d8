import test from 'ava'
import { containersContract, processClock } from '../../runtime/containers.contract.ts'
import { probesContract } from '../../runtime/net-probes.contract.ts'
import { createEngine } from './engine.ts'

containersContract(test, 'engine of a world', async () => {
  const { host, connect } = createEngine({ clock: processClock, latencyMs: 0 })
  host.addArchive('good.tar', [{ name: 'contract/app:1', digest: 'sha256:app', sizeBytes: 1, runsAsProcess: true }])
  return {
    open: () => connect((inner) => inner),
    archive: { path: 'good.tar', image: 'contract/app:1' },
    badArchivePath: 'bad.tar',
    programs: {
      forever: { cmd: ['wait'] },
      exit: (code) => ({ cmd: [`exit ${code}`] }),
      say: (text) => ({ cmd: [`say ${text}`] }),
    },
    commands: { hello: ['echo', 'hello'], exit3: ['exit', '3'], hang: ['sleep'] },
    portRange: [20_000, 20_009],
    kill: ({ id }) => host.end(id, 137, 'killed'),
    close: async () => {},
  }
})

probesContract(test, 'network of an engine of a world', async () => {
  const engine = createEngine({ clock: processClock, latencyMs: 0 })
  engine.host.addArchive('good.tar', [{ name: 'app:1', digest: 'sha256:app', sizeBytes: 1, runsAsProcess: true }])
  const containers = engine.connect((inner) => inner)
  await containers.importImage('good.tar')
  const start = async (name: string) => {
    const instance = `${name}.main-1`
    const network = await containers.attachNetwork({ instance, tenant: 'default', networkHash: 'net', ports: [] })
    const owner = {
      tenant: 'default',
      application: name,
      version: '1',
      revision: 'r',
      service: 'main',
      instance,
      container: 'web',
      specHash: name,
    }
    const { id } = await containers.startContainer(owner, {
      image: 'app:1',
      cmd: ['wait'],
      env: { PORT: '8080' },
      mounts: [],
      shutdownTimeoutMs: 0,
      logSizeBytes: 1_000,
    })
    return { id, address: { host: network.addresses[0] ?? '', port: 8080 } }
  }
  const [healthy, hanging, refusing] = [await start('healthy'), await start('hanging'), await start('refusing')]
  engine.hang(hanging.id)
  engine.refuse(refusing.id)
  return { runner: engine.probes, healthy: healthy.address, hanging: hanging.address, refusing: refusing.address }
})
