export default {
  files: ['{base,topologies,crdt,mesh,runtime,node,simulations,scripts}/**/*.test.ts', 'tidy.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  concurrency: 2,
  timeout: '120s',
}
