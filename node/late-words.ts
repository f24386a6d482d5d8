import { errorText, type Log } from '../base/index.ts'
import { type Documents, formatLaneName, type LaneName, type Signer } from '../crdt/index.ts'

type LateChange = Awaited<ReturnType<Documents['late']>>[number]

/** Of one lane so many late changes are named; the others are counted. */
const mostNamed = 5

const whyLate = {
  cut: 'the epoch was sealed without it',
  rival: 'its epoch lost to another seal',
  unsure: 'this node cannot tell whether the seal holds it',
  excluded: 'it did not count when the epoch was sealed',
} as const satisfies Readonly<Record<LateChange['reason'], string>>

/** One line: who wrote it, where and when, what it was about, why it is not in force. Values stay where they are. */
const lateChangeText = (change: LateChange, isOurs: boolean): string => {
  const keys = [...new Set(change.puts.map(({ key }) => key))].toSorted()
  const what = keys.length === 0 ? 'nothing readable' : keys.join(', ')
  const who = isOurs ? 'a key of this node' : `the key ${change.author.slice(0, 16)}`
  return `late in ${formatLaneName(change.lane)}: ${who} wrote ${what} in epoch ${change.epoch} (change ${change.hash.slice(0, 12)}); ${whyLate[change.reason]}`
}

const countText = (lane: string, count: number): string =>
  `${count} ${count === 1 ? 'change' : 'changes'} of ${lane} came too late for its seal: kept, not in force; write again what is still wanted`

export interface LateWordsOptions {
  readonly documents: Pick<Documents, 'late'>
  /** Keys this node signs with. */
  readonly signers: () => readonly Pick<Signer, 'keyId'>[]
  readonly log: Log
}

/** Names of changes that are late now: what a seal took in meanwhile is not named any more. */
type LateNames = readonly { readonly hash: string }[]

/** Late changes in words for people. They lie on disk, are few, and are read when some came. */
export const createLateWords = ({ documents, signers, log }: LateWordsOptions) => {
  const known = new Map<string, readonly LateChange[]>()
  const reading = new Set<Promise<void>>()
  const named = (documentId: string, names: LateNames, isMeant: (change: LateChange) => boolean): readonly string[] => {
    const still = new Set(names.map(({ hash }) => hash))
    const own = new Set(signers().map(({ keyId }) => keyId))
    return (known.get(documentId) ?? [])
      .filter((change) => still.has(change.hash) && isMeant(change))
      .toSorted((a, b) => b.epoch - a.epoch || (a.hash < b.hash ? -1 : 1))
      .slice(0, mostNamed)
      .map((change) => lateChangeText(change, own.has(change.author)))
  }
  return {
    read: (documentId: string): void => {
      const work = documents
        .late(documentId)
        .then(
          (found) => void (found.length > 0 ? known.set(documentId, found) : known.delete(documentId)),
          (error: unknown) => log.info('late changes could not be read', { documentId, error: errorText(error) }),
        )
        .finally(() => reading.delete(work))
      reading.add(work)
    },
    /** Resolves when nothing is being read. */
    idle: async (): Promise<void> => {
      while (reading.size > 0) await Promise.all(reading)
    },
    words: (documentId: string, lane: LaneName, names: LateNames): readonly string[] => [
      countText(formatLaneName(lane), names.length),
      ...named(documentId, names, () => true),
    ],
    /** Of those that put something under a key with one of these ids in it. */
    about: (documentId: string, names: LateNames, ids: readonly string[]): readonly string[] =>
      named(documentId, names, ({ puts }) => puts.some(({ key }) => ids.some((id) => key.includes(id)))),
  }
}
