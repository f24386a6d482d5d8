import * as Y from 'yjs'
import { type AdmittedUpdate, admitUpdate, type ViewRefusal, viewFormat, viewLimits, viewRoot } from './admit-update.ts'
import { hostsByClient, ownsKey, type ViewHost } from './view-hosts.ts'

/** What stands under a key of the view. */
export type ViewValue = string | number | boolean

export type ViewReceived =
  | { readonly ok: true }
  | {
      readonly ok: false
      readonly refusal: ViewRefusal | { readonly code: 'unknown-host' | 'trap'; readonly message: string }
    }

/** The view the hosts of one site share: each writes under its own keys, and sends only what it wrote itself. */
export interface SiteView {
  /** @throws {RangeError} when the key is not this host's or the value is no short scalar */
  set(key: string, value: ViewValue): void
  /** @throws {RangeError} when the key is not this host's */
  delete(key: string): void
  /** Every key of every host, sorted. */
  values(): ReadonlyMap<string, ViewValue>
  /** What is known here, to be sent to a host so that it can answer with what is missing. */
  vector(): Uint8Array
  /**
   * This host's own updates that the other end lacks; undefined when it lacks none.
   * @param vector what the other end knows; one that cannot be read counts as nothing
   */
  updateFor(vector: Uint8Array): Uint8Array | undefined
  /** Takes an update of another host, as the link authenticated it. */
  receive(message: Uint8Array, hostId: string): ViewReceived
  /** This host's own writes, for `saved` at its next start. The caller saves before it sends. */
  save(): Uint8Array
  /**
   * Whether the other end knows more of this host than it does itself: its save was lost or is old. It then writes
   * nothing until the parent gave it a new client id, as what it wrote would count as known already.
   */
  isBehind(vector: Uint8Array): boolean
  free(): void
}

const newDoc = (clientId: number): Y.Doc => {
  const doc = new Y.Doc()
  doc.clientID = clientId
  return doc
}

/** What all hosts wrote: begun from this host's own. Nothing is written there, so its client id is nobody's. */
const merged = (mine: Y.Doc): Y.Doc => {
  const doc = newDoc(0)
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(mine))
  return doc
}

const clocksOf = (doc: Y.Doc): ReadonlyMap<number, number> => Y.decodeStateVector(Y.encodeStateVector(doc))

/** How much of a host a vector knows; one that cannot be read knows nothing. */
const clockIn = (vector: Uint8Array, { clientId }: ViewHost): number => {
  if (vector.length > viewLimits.vectorBytes) return 0
  try {
    return Y.decodeStateVector(vector).get(clientId) ?? 0
  } catch {
    return 0
  }
}

/**
 * @param hosts all hosts of the site with the client ids the parent gave them
 * @param self the id of this host
 * @param saved what `save` gave before this host stopped. @default nothing
 * @throws {RangeError} when the hosts are wrong or this one is not among them
 */
export const createSiteView = (hosts: readonly ViewHost[], self: string, saved?: Uint8Array): SiteView => {
  const known = [...hostsByClient(hosts).values()]
  const own = known.find(({ hostId }) => hostId === self)
  if (own === undefined) throw new RangeError(`${self} is no host of the site`)
  // What this host wrote stays in a document of its own, so that what it sends holds nothing of anybody else.
  const mine = newDoc(0)
  if (saved !== undefined) Y.applyUpdate(mine, saved)
  // Only now: Yjs gives a document that is handed structs of its own client another id.
  mine.clientID = own.clientId
  let all = merged(mine)

  const write = (key: string, act: (map: Y.Map<ViewValue>) => void) => {
    if (!ownsKey(own, key)) throw new RangeError(`${self} does not write under ${JSON.stringify(key)}`)
    const before = Y.encodeStateVector(mine)
    act(mine.getMap<ViewValue>(viewRoot))
    Y.applyUpdate(all, Y.encodeStateAsUpdate(mine, before))
  }

  /** Applies what was admitted. What Yjs still cannot place, or throws on, costs the view of the others: they send again. */
  const apply = (update: Uint8Array): ViewReceived => {
    let why = 'structs or deletes are left over'
    try {
      Y.applyUpdate(all, update)
      if (all.store.pendingStructs === null && all.store.pendingDs === null) return { ok: true }
    } catch (error) {
      why = error instanceof Error ? error.message : String(error)
    }
    all.destroy()
    all = merged(mine)
    return { ok: false, refusal: { code: 'trap', message: `Yjs failed on an update, the view starts anew: ${why}` } }
  }

  return {
    set: (key, value) => {
      if (typeof value === 'number' ? !Number.isFinite(value) : String(value).length > viewLimits.textLength)
        throw new RangeError(`a value of the view is a finite number, or at most ${viewLimits.textLength} characters`)
      write(key, (map) => map.set(key, value))
    },
    delete: (key) => write(key, (map) => map.delete(key)),
    values: () =>
      new Map([...all.getMap<ViewValue>(viewRoot).entries()].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))),
    vector: () => Y.encodeStateVector(all),
    updateFor: (vector) => {
      const clock = clockIn(vector, own)
      const update = Y.encodeStateAsUpdate(mine, Y.encodeStateVector(new Map([[own.clientId, clock]])))
      // Two zero bytes: no struct and no delete.
      return update.length <= 2 ? undefined : Uint8Array.from([viewFormat, ...update])
    },
    receive: (message, hostId) => {
      const sender = known.find((host) => host.hostId === hostId)
      if (sender === undefined || sender === own)
        return { ok: false, refusal: { code: 'unknown-host', message: `${hostId} is no other host of the site` } }
      const admitted: AdmittedUpdate = admitUpdate(message, sender, clocksOf(all))
      return admitted.ok ? apply(admitted.update) : admitted
    },
    save: () => Y.encodeStateAsUpdate(mine),
    isBehind: (vector) => clockIn(vector, own) > clockIn(Y.encodeStateVector(mine), own),
    free: () => {
      mine.destroy()
      all.destroy()
    },
  }
}
