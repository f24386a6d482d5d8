import { errorText, type Log } from '../base/index.ts'
import {
  type AuthorityPowers,
  type Book,
  type BookRecord,
  blockedAt,
  type Documents,
  formatLaneName,
  keyListKind,
  type LaneName,
  laneOwner,
  type Owner,
  readRecord,
  type Signer,
  sealLimits,
  type Trust,
  whySeal,
} from '../crdt/index.ts'
import { createLateWords } from './late-words.ts'
import { isWithin } from './tree-node.ts'

export interface SealingOptions {
  readonly documents: Documents
  readonly book: Book
  readonly powers: AuthorityPowers
  /** Keys this node signs with. */
  readonly signers: () => readonly Signer[]
  /** A lane that could not be sealed, as on a full disk, is looked at again after a while. */
  readonly later: (again: () => void) => void
  /** @default sealLimits */
  readonly limits?: { readonly changes: number; readonly sizeBytes: number }
  readonly log: Log
}

/** What a lane should be written by, and with which key this node may seal it. */
interface WantedWriters {
  readonly owner: Owner
  readonly signer: Signer
  /** Public keys by id. */
  readonly writers: ReadonlyMap<string, Uint8Array>
}

/** What is known when a lane is looked at. */
interface Known {
  readonly trust: Trust | undefined
  readonly ownerOf: (lane: LaneName) => Owner | undefined
  /** Keys that signed two changes of one number, in any lane. */
  readonly quarantined: ReadonlySet<string>
  readonly signers: readonly Signer[]
}

/**
 * Who is to write a lane: the keys of its owner that are neither blocked nor quarantined. Undefined where this node has none
 * of them: then another seals, or the parent grants new keys.
 */
const wantedWriters = (lane: LaneName, { trust, ownerOf, quarantined, signers }: Known): WantedWriters | undefined => {
  const owner = ownerOf(lane)
  if (owner === undefined || signers.every(({ keyId }) => !owner.keys.has(keyId))) return undefined
  const blocked = trust === undefined ? undefined : blockedAt(trust, owner.scope)
  const writers = new Map([...owner.keys].filter(([key]) => !blocked?.keys.has(key) && !quarantined.has(key)))
  const signer = signers.find(({ keyId }) => writers.has(keyId))
  return signer && { owner, signer, writers }
}

/** Others of the owner leave it to the one with the lowest key to seal for size, unless it lets the lane grow twice as large. */
const patienceOf = ({ signer, writers }: WantedWriters): number =>
  [...writers.keys()].every((key) => signer.keyId <= key) ? 1 : 2

/** Owners of lanes, each looked up once: ten thousand lanes have few. */
const ownersIn = (book: Book): ((lane: LaneName) => Owner | undefined) => {
  const found = new Map<string, Owner | undefined>()
  return (lane) => {
    const by = laneOwner(lane)
    if (by === undefined) return undefined
    if ('tenant' in by) return book.owner(by.tenant)
    const name = `${by.scope} ${by.roles.join()}`
    if (!found.has(name)) found.set(name, by.roles.flatMap((role) => book.ownerAt(by.scope, role) ?? [])[0])
    return found.get(name)
  }
}

const concerns = (lane: LaneName, scope: string | undefined): boolean =>
  scope === undefined || !('scope' in lane) || isWithin(scope, lane.scope)

/** What a seal of a node's own lanes looks at; only the owner of a lane begins its epochs (docs/adr/0034-sealing.md). */
export const createSealing = (options: SealingOptions) => {
  const { documents, book, log, limits = sealLimits } = options
  const due = new Set<string>()
  const late = createLateWords(options)
  let running: Promise<void> | undefined
  let isStopped = false

  const known = (): Known => ({
    trust: book.trust(),
    ownerOf: ownersIn(book),
    quarantined: new Set(documents.quarantined().map(({ author }) => author)),
    signers: options.signers(),
  })

  const sealOne = async (documentId: string, given: Known): Promise<void> => {
    const load = documents.loadOf(documentId)
    const wanted = load && wantedWriters(load.epoch.lane, given)
    if (load === undefined || wanted === undefined) return
    const { owner, signer, writers } = wanted
    const patience = patienceOf(wanted)
    const bounds = { changes: limits.changes * patience, sizeBytes: limits.sizeBytes * patience }
    const why = whySeal(load, { generation: owner.generation, writers: writers.keys() }, bounds)
    if (why === undefined) return
    const lane = formatLaneName(load.epoch.lane)
    const sealed = await documents.seal(documentId, { owner, signer, writers: [...writers.values()] })
    if (sealed.ok) log.info('a lane was sealed', { lane, epoch: sealed.epoch.epoch, why, late: sealed.late })
    else
      log.warn('a lane could not be sealed', { lane, why, code: sealed.refusal.code, reason: sealed.refusal.message })
  }

  const run = async (): Promise<void> => {
    const given = known()
    for (const documentId of due) {
      if (isStopped) return
      due.delete(documentId)
      try {
        await sealOne(documentId, given)
      } catch (error) {
        log.warn('a lane could not be sealed', { document: documentId, reason: errorText(error) })
        options.later(() => look([documentId]))
      }
    }
  }

  const look = (ids: Iterable<string>): void => {
    for (const id of ids) due.add(id)
    if (isStopped || due.size === 0 || running !== undefined) return
    running = run().finally(() => {
      running = undefined
      if (due.size > 0) look([])
    })
  }

  /** Key lists of others, which come with every site that is enrolled, change nothing of what this node may seal. */
  const isOurs = ({ kind, bytes }: BookRecord): boolean => {
    if (kind === 'block-list') return true
    const read = kind === 'key-list' ? readRecord(keyListKind, bytes, options.powers) : undefined
    if (!read?.ok) return false
    const keys = new Set(read.record.body.keys)
    return options.signers().some(({ publicKey }) => keys.has(Buffer.from(publicKey).toString('hex')))
  }

  const stops = [
    documents.onChange(({ documentId, late: came }) => {
      if (came.length > 0) late.read(documentId)
      const load = documents.loadOf(documentId)
      const isLarge = load !== undefined && (load.count >= limits.changes || load.sizeBytes >= limits.sizeBytes)
      // A key that is not to be relied on writes no lane any more.
      if (documents.quarantined(documentId).some(({ isOpen }) => isOpen)) look(documents.ids())
      else if (isLarge) look([documentId])
    }),
    book.onChange((records) => {
      if (records.some(isOurs)) look(documents.ids())
    }),
  ]

  return {
    /** Looks at every lane: what came while the node was down counts too. */
    start: () => {
      for (const id of documents.ids()) if (documents.lateNames(id).length > 0) late.read(id)
      look(documents.ids())
    },
    stop: async () => {
      isStopped = true
      for (const stop of stops) stop()
      await running
    },
    /** Resolves when nothing is left to look at. */
    idle: async () => {
      while (running !== undefined) await running
      await late.idle()
    },
    /**
     * Late changes about these ids, a line each.
     * @param scope only in lanes of this scope and those around it, and in those of no scope. @default in any lane here
     */
    about: (ids: readonly string[], scope?: string): readonly string[] =>
      documents.ids().flatMap((documentId) => {
        const names = documents.lateNames(documentId)
        const lane = names.length === 0 ? undefined : documents.epochOf(documentId)?.lane
        return lane === undefined || !concerns(lane, scope) ? [] : late.about(documentId, names, ids)
      }),
    /** What people are to know of lanes here: changes that are late, keys that are quarantined. One line for each lane, late change and key. */
    words: (): readonly string[] => [
      ...documents.ids().flatMap((documentId) => {
        const names = documents.lateNames(documentId)
        const lane = documents.epochOf(documentId)?.lane
        return names.length === 0 || lane === undefined ? [] : late.words(documentId, lane, names)
      }),
      ...documents
        .quarantined()
        .map(({ author, lane, epoch, isOpen }) => quarantineText(author, formatLaneName(lane), epoch, isOpen)),
    ],
  }
}

const quarantineText = (author: string, lane: string, epoch: number, isOpen: boolean): string =>
  `the key ${author.slice(0, 16)} signed two changes with one number in ${lane}, epoch ${epoch}: ${
    isOpen ? 'neither counts' : 'that epoch stays as it was sealed'
  }, and the key writes no later epoch`
