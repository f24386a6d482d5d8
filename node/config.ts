import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import {
  errorText,
  InvalidInputError,
  nearestName,
  type Problem,
  parseName,
  parseScopePath,
  type ScopePath,
} from '../base/index.ts'

export type Role = 'tower' | 'aggregator' | 'edge'
export const roles: readonly Role[] = ['tower', 'aggregator', 'edge']

/** Everything one node is told from outside. Paths are absolute. */
export interface NodeConfig {
  readonly name: string
  readonly role: Role
  /** Id of the network a fresh node joins, 64 hexadecimal digits; empty for a tower and for a node that has joined. */
  readonly networkId: string
  readonly scope: ScopePath
  /** The site of an edge; empty for other roles. */
  readonly site: string
  readonly topology: string
  readonly dataDir: string
  readonly runDir: string
  readonly parents: readonly string[]
  /** Addresses of the other aggregators of this one's zone; none: those that the topology has of the zone. */
  readonly fellows: readonly string[]
  /** Addresses this node accepts links at; none for an edge that keeps nothing for siblings. */
  readonly meshListen: readonly string[]
  /** File with the one-time token a fresh node joins with; empty to wait for an operator's yes. */
  readonly joinTokenFile: string
  /** What the machine is known by; empty for its serial number or machine id. */
  readonly hostId: string
  /** Whether this machine's time of day may be believed. */
  readonly time: 'auto' | 'trusted' | 'untrusted'
  readonly apiListen: string
  readonly tokenFile: string
  readonly runtime: 'auto' | 'containerd' | 'process' | 'simulated'
  readonly containerdSocket: string
  readonly portRange: readonly [number, number]
  readonly bridge: string
  readonly subnet: string
  readonly ingressAddress: string
  readonly cniDir: string
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

interface Option {
  readonly key: keyof NodeConfig
  /** Name of the flag and, without dashes, of the key in a file; the variable is `SKERRY_` and the name in capitals. */
  readonly flag: string
  readonly value: string
  readonly text: string
  readonly fallback: string | undefined
  /** @throws when the text is not such a value */
  readonly parse: (text: string) => unknown
}

const oneOf =
  (...words: string[]) =>
  (text: string) => {
    if (!words.includes(text)) throw new Error(`${JSON.stringify(text)} is none of ${words.join(', ')}`)
    return text
  }
const plain = (text: string) => text
const absolutePath = (text: string) => {
  if (text !== '' && !text.startsWith('/')) throw new Error(`${JSON.stringify(text)} is not an absolute path`)
  return text
}
const list = (text: string) => text.split(',').filter((part) => part !== '')
const portRange = (text: string) => {
  const [from, to] = text.split('-').map(Number)
  if (!from || !to || !Number.isInteger(from) || !Number.isInteger(to) || from > to || to > 65535)
    throw new Error(`${JSON.stringify(text)} is not a range of ports like 20000-20099`)
  return [from, to] as const
}
const subnet = (text: string) => {
  const parts = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(text)?.slice(1).map(Number)
  if (!parts || parts.slice(0, 4).some((part) => part > 255) || (parts[4] ?? 0) < 16 || (parts[4] ?? 0) > 28)
    throw new Error(`${JSON.stringify(text)} is not an IPv4 subnet between /16 and /28 like 10.90.0.0/24`)
  return text
}
const networkId = (text: string) => {
  if (!/^([0-9a-f]{64})?$/.test(text))
    throw new Error(`${JSON.stringify(text.slice(0, 80))} is not the id of a network: 64 hexadecimal digits`)
  return text
}
const bridgeName = (text: string) => {
  if (!/^[a-zA-Z][a-zA-Z0-9_.-]{0,14}$/.test(text))
    throw new Error(`${JSON.stringify(text)} is not a name of a network device: at most 15 letters, digits, - . _`)
  return text
}

/** Every option of a node, in the order `--help` shows them. */
export const nodeOptions: readonly Option[] = [
  { key: 'name', flag: 'name', value: 'NAME', text: 'name of this node in its tree', fallback: undefined, parse: parseName },
  { key: 'role', flag: 'role', value: 'ROLE', text: 'tower, aggregator or edge', fallback: undefined, parse: oneOf(...roles) },
  { key: 'networkId', flag: 'network-id', value: 'ID', text: 'id of the network to join, as "skerry hosts" shows it; needed until the node has joined, not at a tower', fallback: '', parse: networkId },
  { key: 'scope', flag: 'scope', value: 'PATH', text: 'zone or site this node serves, like /de/bavaria', fallback: '/', parse: parseScopePath },
  { key: 'site', flag: 'site', value: 'NAME', text: 'site of an edge', fallback: '', parse: plain },
  { key: 'topology', flag: 'topology', value: 'FILE', text: 'topology file: the part of the tree this node may read (tower and aggregator)', fallback: '', parse: absolutePath },
  { key: 'dataDir', flag: 'data-dir', value: 'DIR', text: 'what must survive a power cut', fallback: '/var/lib/skerry', parse: absolutePath },
  { key: 'runDir', flag: 'run-dir', value: 'DIR', text: 'sockets and process ids; a short path', fallback: '/run/skerry', parse: absolutePath },
  { key: 'parents', flag: 'parents', value: 'ADDRESS,…', text: 'addresses of the parent, host:port or ws://host:port, tried in turn', fallback: '', parse: list },
  { key: 'fellows', flag: 'fellows', value: 'ADDRESS,…', text: "aggregator: addresses of the others of its zone, host:port or ws://host:port; empty: the zone's addresses in the topology file", fallback: '', parse: list },
  { key: 'meshListen', flag: 'mesh-listen', value: 'ADDRESS,…', text: 'where to accept links of children, or of siblings at an edge: host:port or ws://host:port', fallback: '', parse: list },
  { key: 'joinTokenFile', flag: 'join-token-file', value: 'FILE', text: 'one-time token to join with ("skerry hosts token HOST" at the parent makes one); without it the node waits for "skerry hosts claim KEY --as HOST"', fallback: '', parse: absolutePath },
  { key: 'hostId', flag: 'host-id', value: 'ID', text: "what this machine is known by; empty: its serial number or machine id", fallback: '', parse: plain },
  { key: 'time', flag: 'time', value: 'WORD', text: 'auto (trusted at a tower whose kernel says it is synchronised), trusted or untrusted', fallback: 'auto', parse: oneOf('auto', 'trusted', 'untrusted') },
  { key: 'apiListen', flag: 'api-listen', value: 'HOST:PORT', text: 'where to serve the HTTPS API; port 0 takes any free one', fallback: '127.0.0.1:4646', parse: plain },
  { key: 'tokenFile', flag: 'token-file', value: 'FILE', text: 'file with the bearer token of the HTTPS API', fallback: '/etc/skerry/token', parse: absolutePath },
  { key: 'runtime', flag: 'runtime', value: 'DRIVER', text: 'containerd, process (laptops: only images labelled for it), simulated, or auto', fallback: 'auto', parse: oneOf('auto', 'containerd', 'process', 'simulated') },
  { key: 'containerdSocket', flag: 'containerd-socket', value: 'PATH', text: "an engine that is there; empty: the system's when it runs, else a child of this node with a root of its own; own: always the child", fallback: '', parse: plain },
  { key: 'portRange', flag: 'port-range', value: 'FROM-TO', text: 'host ports that applications may be reached at', fallback: '1-65535', parse: portRange },
  { key: 'bridge', flag: 'bridge', value: 'NAME', text: 'network device that containers are attached to', fallback: 'skerry0', parse: bridgeName },
  { key: 'subnet', flag: 'subnet', value: 'CIDR', text: 'addresses of containers on this host', fallback: '10.90.0.0/24', parse: subnet },
  { key: 'ingressAddress', flag: 'ingress-address', value: 'ADDRESS', text: 'host address that applications are reached at', fallback: '0.0.0.0', parse: plain },
  { key: 'cniDir', flag: 'cni-dir', value: 'DIR', text: 'where the CNI plugins are', fallback: '/usr/lib/cni', parse: absolutePath },
  { key: 'logLevel', flag: 'log-level', value: 'LEVEL', text: 'debug, info, warn or error', fallback: 'info', parse: oneOf('debug', 'info', 'warn', 'error') },
] // biome-ignore format: a table

const variableOf = (flag: string) => `SKERRY_${flag.replaceAll('-', '_').toUpperCase()}`

/** What `--help` of the node program prints. */
export const nodeHelp = (program: string, fixedRole?: Role): string =>
  [
    `Usage: ${program} [--config FILE] [options]`,
    '',
    `Runs one ${fixedRole ?? 'node'} in the foreground. SIGTERM stops it; containers run on.`,
    'Each option may stand in the file (YAML, by the name without dashes), in the environment, or on the',
    'command line; the later wins.',
    '',
    '  --config FILE',
    '      file with options',
    ...nodeOptions
      .filter(({ key }) => !(fixedRole && key === 'role'))
      .flatMap(({ flag, value, text, fallback }) => [
        `  --${flag} ${value}   (${variableOf(flag)})`,
        `      ${text}${fallback ? ` [default: ${fallback}]` : fallback === undefined ? ' [required]' : ''}`,
      ]),
    '  --remove-all',
    '      instead of running: end the containers and the engine of this node, and delete all it made on this host',
    '  --help',
    '',
  ].join('\n')

type Source = { readonly name: string; readonly values: ReadonlyMap<string, string> }

const fromFile = (path: string, text: string): Source => {
  let document: unknown
  try {
    document = parse(text)
  } catch (error) {
    throw new InvalidInputError([{ source: path, field: '', message: errorText(error) }])
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new InvalidInputError([{ source: path, field: '', message: 'must be a map of options' }])
  const problems: Problem[] = []
  const values = new Map<string, string>()
  for (const [key, value] of Object.entries(document)) {
    const known = nodeOptions.some(({ flag }) => flag === key)
    const scalar = ['string', 'number', 'boolean'].includes(typeof value)
    const items = Array.isArray(value) && value.every((item) => typeof item === 'string')
    if (!known) {
      const near = nearestName(
        key,
        nodeOptions.map(({ flag }) => flag),
      )
      problems.push({
        source: path,
        field: key,
        message: 'unknown option',
        ...(near && { suggestion: `did you mean ${near}?` }),
      })
    } else if (scalar) values.set(key, String(value))
    else if (items) values.set(key, value.join(','))
    else problems.push({ source: path, field: key, message: 'must be a plain value' })
  }
  if (problems.length > 0) throw new InvalidInputError(problems)
  return { name: path, values }
}

const fromArguments = (args: readonly string[]): Source & { readonly config?: string; readonly help: boolean } => {
  const options = Object.fromEntries([
    ...nodeOptions.map(({ flag }) => [flag, { type: 'string' as const }]),
    ['config', { type: 'string' as const }],
    ['help', { type: 'boolean' as const, short: 'h' }],
  ])
  try {
    const parsed = parseArgs({ args: [...args], options, strict: true, allowPositionals: false })
    const values: Readonly<Record<string, unknown>> = parsed.values
    const texts = Object.entries(values).filter((pair): pair is [string, string] => typeof pair[1] === 'string')
    const config = typeof values.config === 'string' ? values.config : undefined
    return {
      name: 'command line',
      values: new Map(texts.filter(([flag]) => flag !== 'config')),
      help: values.help === true,
      ...(config !== undefined && { config }),
    }
  } catch (error) {
    throw new InvalidInputError([
      { source: 'command line', field: '', message: errorText(error), suggestion: 'see --help' },
    ])
  }
}

const fromEnvironment = (env: Readonly<Record<string, string | undefined>>): Source => ({
  name: 'environment',
  values: new Map(
    nodeOptions.flatMap(({ flag }) =>
      env[variableOf(flag)] === undefined ? [] : [[flag, env[variableOf(flag)] ?? '']],
    ),
  ),
})

/**
 * Reads the options of a node from file, environment and command line, the later winning.
 * @returns 'help' when `--help` was asked for
 * @throws {InvalidInputError} naming source, option and what to write
 */
export const readNodeConfig = (input: {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile: (path: string) => string
  /** Set by binaries that are one role. */
  readonly role?: Role
}): NodeConfig | 'help' => {
  const flags = fromArguments(input.args)
  if (flags.help) return 'help'
  const sources: Source[] = [flags, fromEnvironment(input.env)]
  if (flags.config !== undefined) sources.push(fromFile(flags.config, input.readFile(flags.config)))
  const problems: Problem[] = []
  const config: Record<string, unknown> = {}
  for (const { key, flag, fallback, parse: parseValue } of nodeOptions) {
    const source = sources.find(({ values }) => values.has(flag))
    const text = key === 'role' && input.role ? input.role : (source?.values.get(flag) ?? fallback)
    const at = { source: source?.name ?? 'options', field: flag }
    if (text === undefined) {
      problems.push({ ...at, message: 'is missing', suggestion: `give --${flag} or ${variableOf(flag)}` })
      continue
    }
    try {
      config[key] = parseValue(text)
    } catch (error) {
      problems.push({ ...at, message: errorText(error) })
    }
  }
  if (config.role === 'edge' && config.site === '')
    problems.push({
      source: 'options',
      field: 'site',
      message: 'is missing',
      suggestion: 'an edge belongs to a site: give --site',
    })
  if (config.role !== 'edge' && config.topology === '')
    problems.push({
      source: 'options',
      field: 'topology',
      message: 'is missing',
      suggestion: 'a tower or an aggregator needs --topology FILE',
    })
  if (problems.length > 0) throw new InvalidInputError(problems)
  return config as unknown as NodeConfig
}
