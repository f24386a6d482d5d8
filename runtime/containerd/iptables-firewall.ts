import type { ContainerdOptions } from './containerd-options.ts'
import { run } from './host-commands.ts'

/** One rule: its table and chain, and the words after them. */
interface Rule {
  readonly table: 'nat' | 'filter'
  readonly chain: string
  readonly words: readonly string[]
}

/** The comment by which a rule of the node is known. */
const commentOf = ({ node, bridge }: ContainerdOptions): string => `skerry ${node} ${bridge}`

/** Outbound traffic leaves under the host's address; replies and published ports come in; hosts that drop by default let it pass. */
export const bridgeRules = (options: ContainerdOptions): readonly Rule[] => {
  const comment = ['-m', 'comment', '--comment', commentOf(options)]
  const { bridge, subnet } = options
  return [
    { table: 'nat', chain: 'POSTROUTING', words: ['-s', subnet, '!', '-d', subnet, ...comment, '-j', 'MASQUERADE'] },
    { table: 'filter', chain: 'FORWARD', words: ['-i', bridge, ...comment, '-j', 'ACCEPT'] },
    {
      table: 'filter',
      chain: 'FORWARD',
      words: ['-o', bridge, '-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED,DNAT', ...comment, '-j', 'ACCEPT'],
    },
  ]
}

// `-w`: wait for others that change the tables at the same moment.
const iptables = (rule: Rule, action: '-A' | '-C' | '-D') =>
  run('iptables', ['-w', '-t', rule.table, action, rule.chain, ...rule.words])

/** The node's own few rules of the packet filter. */
export const openFirewall = (options: ContainerdOptions) => {
  let ready: Promise<void> | undefined
  const ensureAll = async () => {
    for (const rule of bridgeRules(options)) {
      const there = await iptables(rule, '-C').then(
        () => true,
        () => false,
      )
      if (!there) await iptables(rule, '-A')
    }
  }
  return {
    /** Sets the rules once per life of the node; again after a failure. */
    ensure: (): Promise<void> => {
      ready ??= ensureAll().catch((error) => {
        ready = undefined
        throw error
      })
      return ready
    },
  }
}

/** Removes the node's rules, and what the port plugin left of its network. Rules that are not there are no error. */
export const closeFirewall = async (options: ContainerdOptions, networkName: string): Promise<void> => {
  for (const rule of bridgeRules(options)) {
    // Twice set by two nodes that raced for it means twice to remove.
    for (let left = 4; left > 0; left--) {
      const removed = await iptables(rule, '-D').then(
        () => true,
        () => false,
      )
      if (!removed) break
    }
  }
  const saved = await run('iptables', ['-w', '-t', 'nat', '-S']).catch(() => '')
  const mark = `name: \\"${networkName}\\"`
  for (const line of saved.split('\n').filter((text) => text.startsWith('-A ') && text.includes(mark))) {
    const words = splitRule(line)
    const chain = words.at(words.indexOf('-j') + 1)
    await run('iptables', ['-w', '-t', 'nat', '-D', ...words.slice(1)]).catch(() => {})
    if (!chain?.startsWith('CNI-DN-')) continue
    await run('iptables', ['-w', '-t', 'nat', '-F', chain]).catch(() => {})
    await run('iptables', ['-w', '-t', 'nat', '-X', chain]).catch(() => {})
  }
}

/** Words of a line of `iptables -S`: quoted ones hold spaces and escaped quotes. */
export const splitRule = (line: string): string[] =>
  [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1'),
  )
