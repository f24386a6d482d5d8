import test from 'ava'
import { InvalidInputError } from '../base/index.ts'
import { nodeHelp, nodeOptions, readNodeConfig } from './config.ts'

const file = `name: shop-1-a
network-id: ${'ab'.repeat(32)}
site: shop-1
scope: /shop-1
port-range: 20000-20099
parents: [tower.example:4647, ws://tower.example:443]
`
const read = (args: string[], env: Record<string, string> = {}, text = file) =>
  readNodeConfig({ args: ['--config', '/etc/node.yaml', ...args], env, readFile: () => text, role: 'edge' })

const problemsOf = (run: () => unknown): string[] => {
  try {
    run()
  } catch (error) {
    if (error instanceof InvalidInputError) return error.message.split('\n')
    throw error
  }
  return []
}

test('the command line wins over the environment, and that over the file', (t) => {
  const config = read(
    ['--bridge', 'br-flag'],
    { SKERRY_BRIDGE: 'br-env', SKERRY_SUBNET: '10.1.2.0/24' },
    `${file}subnet: 10.9.9.0/24\n`,
  )
  if (config === 'help') return t.fail()
  t.is(config.bridge, 'br-flag')
  t.is(config.subnet, '10.1.2.0/24')
  t.is(config.role, 'edge')
  t.deepEqual(config.portRange, [20_000, 20_099])
  t.deepEqual(config.parents, ['tower.example:4647', 'ws://tower.example:443'])
  t.is(config.networkId, 'ab'.repeat(32))
})

test('every refusal names the source, the option and what to write', (t) => {
  const refusals: [string[], Record<string, string>, string, RegExp][] = [
    [[], {}, `${file}bridg: x\n`, /node\.yaml: bridg: unknown option; did you mean bridge\?/],
    [[], {}, `${file}bridge: { a: 1 }\n`, /bridge: must be a plain value/],
    [[], {}, '- a\n', /must be a map of options/],
    [['--bridge', 'a-name-that-is-too-long'], {}, file, /command line: bridge: .*at most 15/],
    [[], { SKERRY_PORT_RANGE: '9-2' }, file, /environment: port-range: "9-2" is not a range/],
    [[], { SKERRY_SUBNET: '10.0.0.0/8' }, file, /subnet: .*between \/16 and \/28/],
    [['--data-dir', 'here'], {}, file, /data-dir: "here" is not an absolute path/],
    [['--runtime', 'docker'], {}, file, /runtime: "docker" is none of auto, containerd/],
    [[], {}, file.replace('site: shop-1\n', ''), /site: is missing; an edge belongs to a site/],
    [[], {}, file.replace('name: shop-1-a\n', ''), /name: is missing; give --name or SKERRY_NAME/],
    [['--network-id', 'demo'], {}, file, /network-id: "demo" is not the id of a network/],
    [['--time', 'maybe'], {}, file, /time: "maybe" is none of auto, trusted, untrusted/],
    [['--colour'], {}, file, /command line: .*--colour.*; see --help/],
  ]
  for (const [args, env, text, words] of refusals) t.regex(problemsOf(() => read(args, env, text)).join('\n'), words)
})

test('who has children needs a topology', (t) => {
  for (const role of ['tower', 'aggregator']) {
    const run = () => readNodeConfig({ args: ['--name', 'one', '--role', role], env: {}, readFile: () => '' })
    t.regex(problemsOf(run).join('\n'), /topology: is missing/)
  }
})

test('help documents each option with its variable, and leaves out a role that is fixed', (t) => {
  const help = nodeHelp('skerry-edge', 'edge')
  for (const { flag } of nodeOptions.filter(({ key }) => key !== 'role')) {
    t.true(help.includes(`--${flag} `), flag)
    t.true(help.includes(`SKERRY_${flag.replaceAll('-', '_').toUpperCase()}`), flag)
  }
  t.false(help.includes('--role '))
  t.is(read(['--help']), 'help')
})
