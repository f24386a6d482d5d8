import { codeOf, complain, importsOf, type Source } from './source.ts'

/**
 * Adapters: the only files that import `node:*`, and, where `calls` says so, use the machine's clock, timers and
 * chance. A path that ends in a slash is a folder; every line has its reason.
 */
export const adapters: readonly { path: string; calls: boolean; why: string }[] = [
  { path: 'scripts/', calls: true, why: 'tools of this checkout, not the program' },
  { path: 'simulations/demo/', calls: true, why: 'drives the real program on this machine' },
  { path: 'simulations/benchmarks/', calls: true, why: 'measures this machine' },
  { path: 'simulations/trials/', calls: true, why: 'harms real processes at real times' },
  { path: 'simulations/simulate.ts', calls: true, why: 'the command line of simulations' },
  { path: 'simulations/prove/prove.ts', calls: false, why: 'takes out guards in several processes' },
  { path: 'simulations/prove/proof-command.ts', calls: false, why: 'reads what a person asked for' },
  { path: 'simulations/seed-processes.ts', calls: false, why: 'runs seeds in several processes' },
  { path: 'simulations/week/simulator.ts', calls: false, why: 'reads the files a person names, writes the report' },
  {
    path: 'simulations/scenarios/faults/forged-changes.ts',
    calls: false,
    why: 'raw deflate of node:zlib, synchronous',
  },
  { path: 'simulations/world/turn.ts', calls: true, why: 'the one turn of the event loop that lets promises settle' },
  { path: 'node/powers/', calls: true, why: 'gives the program its clock, chance and files' },
  { path: 'node/bin/', calls: true, why: 'starts the program' },
  { path: 'node/cli/', calls: true, why: 'terminal, files and processes of the person who types' },
  { path: 'node/api/', calls: false, why: 'the HTTP listener, its certificate and its sockets' },
  { path: 'node/config.ts', calls: false, why: 'reads the configuration file' },
  { path: 'node/local-tree/', calls: false, why: 'starts and stops nodes as processes of this machine' },
  { path: 'node/host-driver.ts', calls: false, why: 'looks for engines on this machine' },
  { path: 'crdt/authority/node-signatures.ts', calls: false, why: 'Ed25519 and SHA-256 of node:crypto, synchronous' },
  { path: 'crdt/authority/node-sealing.ts', calls: false, why: 'X25519 and AES-GCM of node:crypto, synchronous' },
  { path: 'crdt/envelope/inflate.ts', calls: false, why: 'bounded raw inflate of node:zlib, synchronous' },
  { path: 'crdt/store/stored-value.ts', calls: false, why: 'CRC-32 of node:zlib, synchronous' },
  { path: 'crdt/store/level/', calls: false, why: 'LevelDB and the files it keeps' },
  { path: 'mesh/libp2p/', calls: false, why: 'libp2p over sockets; time comes from the injected clock' },
  { path: 'runtime/containerd/', calls: true, why: 'containerd, CNI, cgroups and log files of the host' },
  { path: 'runtime/process/', calls: true, why: 'processes of the host' },
  { path: 'runtime/oci/', calls: false, why: 'image archives are files and hashes' },
  { path: 'runtime/net-probes.ts', calls: true, why: 'TCP and HTTP probes and their timeouts' },
]

const adapterOf = (path: string) =>
  adapters.find((adapter) => (adapter.path.endsWith('/') ? path.startsWith(adapter.path) : path === adapter.path))

const isTest = (path: string) => /\.(test|contract)\.ts$/.test(path)

/** Pure hashing and path arithmetic: functions of their arguments, without a thread pool (DESIGN.md section 8). */
const pureModules: Readonly<Record<string, RegExp>> = {
  'node:crypto': /^import (type )?\{ createHash \} from 'node:crypto'$/m,
}

export const findImpureImports = (source: Source): string[] => {
  if (isTest(source.path) || adapterOf(source.path)) return []
  return importsOf(source)
    .filter(({ specifier }) => specifier.startsWith('node:') && !pureModules[specifier]?.test(source.text))
    .map(({ specifier, at }) =>
      complain(source, at, `${specifier} is banned here: take a port, or list the file as an adapter in purity.ts`),
    )
}

const banned: readonly (readonly [RegExp, string])[] = [
  // A Date made from a number reads no clock: some interfaces want one.
  [/(?<!\bnew\s+)\bDate\b|\bnew\s+Date\b(?!\s*\(\s*[^\s)])/, 'Date is banned here, take a Clock'],
  [/\bperformance\s*\.\s*now\b/, 'performance.now is banned here, take a Clock'],
  [/\bprocess\s*\.\s*hrtime\b/, 'process.hrtime is banned here, take a Clock'],
  [/\bMath\s*\.\s*random\b/, 'Math.random is banned here, take a Random'],
  [/\brandom(UUID|Bytes|Int|FillSync)\b/, 'chance of node:crypto is banned here, take a Random'],
  [/\bgetRandomValues\b/, 'getRandomValues is banned here, take a Random'],
  [/\b(setTimeout|setInterval|setImmediate)\b/, 'timers are banned here, take a Clock'],
  [/\bqueueMicrotask\b/, 'queueMicrotask is banned here, await a promise'],
  [/\bAbortSignal\s*\.\s*timeout\b/, 'AbortSignal.timeout is banned here, take a Clock'],
  [/\bcrypto\s*\.\s*subtle\b/, 'crypto.subtle is banned here (it uses a thread pool), use synchronous node:crypto'],
]

/** In tests only chance is banned: a test waits for a state with a deadline, and real sockets need real turns. */
const bannedInTests = banned.filter(([, words]) => /Math\.random|getRandomValues/.test(words))

export const findBannedCalls = (source: Source): string[] => {
  if (adapterOf(source.path)?.calls) return []
  const code = codeOf(source.text)
  return (isTest(source.path) ? bannedInTests : banned).flatMap(([pattern, words]) =>
    [...code.matchAll(new RegExp(pattern, 'g'))].map(({ index }) => complain(source, index, words)),
  )
}
