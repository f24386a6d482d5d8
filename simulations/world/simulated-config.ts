import type { NodeConfig } from '../../node/index.ts'

/** The configuration of a node whose engine is simulated and whose API nobody calls from outside; `given` says the rest. */
export const simulatedConfig = (
  given: Pick<NodeConfig, 'name' | 'role' | 'scope' | 'networkId' | 'dataDir'> & Partial<NodeConfig>,
): NodeConfig => ({
  site: '',
  topology: '',
  runDir: given.dataDir,
  parents: [],
  fellows: [],
  meshListen: [],
  joinTokenFile: '',
  hostId: '',
  time: 'auto',
  apiListen: '',
  tokenFile: '',
  runtime: 'simulated',
  containerdSocket: '',
  portRange: [20_000, 20_099],
  bridge: 'b',
  subnet: '10.0.0.0/24',
  ingressAddress: '127.0.0.1',
  cniDir: '',
  logLevel: 'error',
  ...given,
})
