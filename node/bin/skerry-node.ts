#!/usr/bin/env node
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errorText, SkerryError } from '../../base/index.ts'
import { createNodeSignatures, nodeHash } from '../../crdt/index.ts'
import { createLevelStore } from '../../crdt/store/level/index.ts'
import { createLibp2pMesh } from '../../mesh/libp2p/index.ts'
import { parseTopology } from '../../topologies/index.ts'
import { createApi, createSingleTokenAuthorizer } from '../api/index.ts'
import { type NodeConfig, nodeHelp, type Role, readNodeConfig, roles } from '../config.ts'
import { createHostDriver, endHost } from '../host-driver.ts'
import { createNode } from '../node.ts'
import {
  createBlobStore,
  createJsonLog,
  createStateFile,
  isTimeTrusted,
  machineId,
  readJoinTokens,
  systemClock,
  systemRandom,
  takeProcessLock,
} from '../powers/index.ts'
import { programVersion } from '../version.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Which role this binary is fixed to by its name, `skerry-edge` and so on. */
const roleOfProgram = (program: string): Role | undefined => roles.find((role) => program === `skerry-${role}`)

const readToken = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new SkerryError('no-token', `cannot read the API token ${path}: ${errorText(error)}; write one with mode 600`)
  }
}

/** Two writers of one state lose data: whoever touches a node's folders holds its lock from first to last. */
const lockNode = (config: NodeConfig): (() => void) => {
  mkdirSync(config.runDir, { recursive: true, mode: 0o700 })
  return takeProcessLock(join(config.runDir, 'node.lock'), config.name)
}

const run = async (config: NodeConfig): Promise<void> => {
  const log = createJsonLog(config.logLevel, config.name)
  for (const folder of [config.dataDir, config.runDir]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  const record = join(config.runDir, 'node.json')
  const unlock = lockNode(config)
  rmSync(record, { force: true })
  const stateFile = <Value>(name: string) => createStateFile<Value>(join(config.dataDir, `${name}.json`))
  const containers =
    config.role === 'edge'
      ? await createHostDriver(config, { clock: systemClock, random: systemRandom, log })
      : undefined
  const topology =
    config.topology === '' ? undefined : parseTopology(readFileSync(config.topology, 'utf8'), config.topology)
  const node = createNode(config, {
    clock: systemClock,
    random: systemRandom,
    log,
    openMesh: ({ seed, networkId }) =>
      createLibp2pMesh({
        seed,
        prologue: Buffer.from(networkId, 'hex'),
        listen: config.meshListen,
        clock: systemClock,
        log: log.child('mesh'),
      }),
    store: createLevelStore(join(config.dataDir, 'store'), { log: log.child('store') }),
    authority: { signatures: createNodeSignatures(), hash: nodeHash },
    hash: sha256,
    blobs: createBlobStore(join(config.dataDir, 'archives'), systemRandom),
    stateFile,
    ...(containers && { containers }),
    ...(topology && { topology }),
    hostId: config.hostId === '' ? machineId(config.name) : config.hostId,
    joinTokens: () => readJoinTokens(config.joinTokenFile),
    isTimeTrusted: () => isTimeTrusted(config),
    version: programVersion,
    pid: process.pid,
    rssBytes: () => process.memoryUsage.rss(),
  })
  const [host = '', port = ''] = config.apiListen.split(/:(?=\d+$)/)
  await node.start()
  const api = await createApi(
    {
      name: config.name,
      version: programVersion,
      socketPath: join(config.runDir, 'api.sock'),
      address: host,
      port: Number(port),
      certificateDir: join(config.dataDir, 'tls'),
    },
    {
      services: node.services,
      authorizer: createSingleTokenAuthorizer({ token: readToken(config.tokenFile), tenant: 'default' }),
      clock: systemClock,
      log: log.child('api'),
      documentSchemas: async () => (await import('../document-schemas.ts')).documentSchemas(),
    },
  )
  let stopping = false
  const stop = async (signal: string) => {
    if (stopping) return
    stopping = true
    log.info('stopping', { signal })
    await api.stop()
    await node.stop()
    // Last of all: who sees neither may start the next one.
    rmSync(record, { force: true })
    unlock()
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      stop(signal).then(
        () => process.exit(0),
        (error: unknown) => {
          log.error('did not stop cleanly', { error: errorText(error) })
          process.exit(1)
        },
      )
    })
  const { httpsUrl, fingerprint, socketPath } = api
  const { networkId } = node
  const found = {
    pid: process.pid,
    name: config.name,
    role: config.role,
    httpsUrl,
    fingerprint,
    apiSocket: socketPath,
    networkId,
  }
  writeFileSync(`${record}.new`, JSON.stringify(found), { mode: 0o600 })
  renameSync(`${record}.new`, record)
}

/** All that a node makes in its two folders. */
const ownEntries = [
  ...[
    'accepted',
    'authority',
    'choices',
    'histories',
    'identity',
    'images',
    'key',
    'node',
    'opaque-salt',
    'previous-images',
    'root-key',
    'told',
    'zone-authority',
    'zone-config',
  ].map((name) => `${name}.json`),
  ...['api.sock', 'node.lock', 'archives', 'containerd', 'containers', 'processes', 'store', 'tls'],
]

/** Takes away all that an edge made on this host, instead of running it. */
const removeHost = async (config: NodeConfig): Promise<void> => {
  lockNode(config)
  if (config.role === 'edge') await endHost(config, { remove: true })
  for (const folder of [config.dataDir, config.runDir]) {
    // By name: the folder may be one the person uses for more.
    for (const name of ownEntries) rmSync(join(folder, name), { recursive: true, force: true })
    if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder)
  }
  process.stdout.write(`removed ${config.name}: its containers, its engine, ${config.dataDir} and ${config.runDir}\n`)
}

const program = basename(process.argv[1] ?? '').replace(/\.(mjs|ts)$/, '')
const role = roleOfProgram(program)
const removeAll = process.argv.includes('--remove-all')
try {
  const config = readNodeConfig({
    args: process.argv.slice(2).filter((argument) => argument !== '--remove-all'),
    env: process.env,
    readFile: (path) => readFileSync(path, 'utf8'),
    ...(role && { role }),
  })
  if (config === 'help') process.stdout.write(nodeHelp(role ? program : 'skerry-node', role))
  else if (removeAll) await removeHost(config)
  else await run(config)
} catch (error) {
  process.stderr.write(`${errorText(error)}\n`)
  process.exit(error instanceof SkerryError && error.code === 'invalid-input' ? 2 : 1)
}
