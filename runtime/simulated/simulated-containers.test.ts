import test from 'ava'
import { containersContract, processClock } from '../containers.contract.ts'
import { createSimulatedHost } from './index.ts'

containersContract(test, 'simulated', async () => {
  const host = createSimulatedHost({ clock: processClock })
  host.addArchive('good.tar', [{ name: 'contract/app:1', digest: 'sha256:app', sizeBytes: 1, runsAsProcess: true }])
  return {
    open: host.connect,
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
