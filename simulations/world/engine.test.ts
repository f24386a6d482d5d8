import test from 'ava'
import { containersContract, processClock } from '../../runtime/containers.contract.ts'
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
