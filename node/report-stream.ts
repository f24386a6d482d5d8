import type { CarriedHost } from './reports.ts'

/** What a message says of one host that is told of anew: its number in this session, and the host. */
export interface ToldHost<Host extends Pick<CarriedHost, 'hash' | 'report' | 'lines'>> {
  readonly n: number
  readonly host: Host
}

/** Seconds up to which an age is told; what is older is no news. */
const oldestTold = 120
/** Everything is told again after so long, in milliseconds: who refused a host once may believe it by then. */
const againMs = 60 * 60_000
const noNews = 255

/** What was told of a host. The hash stands for the words of its last lines, which come along or not. */
interface Told {
  readonly hash: string
  readonly link: string
  readonly intendedOrder: number
  readonly hasLines: boolean
  readonly atMs: number
}

/**
 * The end of a stream of reports that tells: each host gets a number when it is first told of, and is told of again only when
 * what is known of it changed. Of all others one byte says how many seconds ago they were last heard.
 */
export const createReportTeller = () => {
  const numbers = new Map<string, number>()
  const told = new Map<string, Told>()
  return {
    /** A new stream: the other end knows nothing. */
    reset: (): void => {
      numbers.clear()
      told.clear()
    },
    next: <Host extends Pick<CarriedHost, 'hash' | 'report' | 'lines'>>(
      hosts: readonly Host[],
      nowMs: number,
    ): { readonly changed: readonly ToldHost<Host>[]; readonly ages: Uint8Array } => {
      const changed: ToldHost<Host>[] = []
      const fresh: (readonly [n: number, age: number])[] = []
      for (const host of hosts) {
        const { node, link, intendedOrder = -1, receivedAgeMs = 0 } = host.report
        const n = numbers.get(node) ?? numbers.size
        numbers.set(node, n)
        const before = told.get(node)
        const isNews =
          before === undefined ||
          before.hash !== host.hash ||
          before.link !== link ||
          before.intendedOrder !== intendedOrder ||
          before.hasLines !== (host.lines !== undefined)
        if (isNews || nowMs - before.atMs > againMs) {
          told.set(node, { hash: host.hash, link, intendedOrder, hasLines: host.lines !== undefined, atMs: nowMs })
          changed.push({ n, host })
        } else if (link === 'up' && receivedAgeMs <= oldestTold * 1_000)
          fresh.push([n, Math.round(receivedAgeMs / 1_000)])
      }
      const ages = new Uint8Array(fresh.length === 0 ? 0 : numbers.size).fill(noNews)
      for (const [n, age] of fresh) ages[n] = age
      return { changed, ages }
    },
  }
}

/** The end that listens: who had which number in this session. */
export const createReportHearer = () => {
  const names = new Map<number, string>()
  return {
    reset: (): void => names.clear(),
    /** Notes who was told of under a number. */
    named: (n: number, node: string): void => void names.set(n, node),
    /** Who was heard how long ago, in milliseconds; numbers that nobody has are passed over. */
    still: (ages: Uint8Array): readonly { readonly node: string; readonly ageMs: number }[] =>
      [...ages].flatMap((age, n) => {
        const node = names.get(n)
        return node === undefined || age > oldestTold ? [] : [{ node, ageMs: age * 1_000 }]
      }),
  }
}

/** Ages and what follows from them: of these a host does not say each time that they are higher. */
const ages: ReadonlySet<string> = new Set(['forMs', 'observedAgeMs', 'retryInMs'])

/** What a host has to say apart from ages: the same text, and its last signed word still stands. */
export const withoutAges = (status: unknown): string =>
  JSON.stringify(status, (key, value: unknown) => (ages.has(key) ? undefined : value))
