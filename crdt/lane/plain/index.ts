/**
 * A plain document of Automerge that keeps every change: what a sealed lane is measured beside.
 * Must not be used by the program.
 * Read first: ../automerge-document.ts, ../automerge-codec.ts.
 */
import * as Automerge from 'automerge'

type Content = Record<string, unknown>

/** A document as an application writes it that knows Automerge alone: nothing signed, nothing sealed. */
export const createPlainDocument = () => {
  let doc = Automerge.init<Content>({ actor: '01'.repeat(16) })
  return {
    /** One change that puts one immutable string, as a lane does. */
    put: (key: string, value: string): void => {
      doc = Automerge.change(doc, { time: 0 }, (content) => {
        content[key] = new Automerge.ImmutableString(value)
      })
    },
    /** All of it, compressed as Automerge does. */
    save: (): Uint8Array => Automerge.save(doc),
    free: (): void => Automerge.free(doc),
  }
}

/** Loads a saved document and reads every value. @returns how many keys it has */
export const readPlainDocument = (bytes: Uint8Array): number => {
  const doc = Automerge.load<Content>(bytes)
  const keys = Object.values(Automerge.toJS(doc)).filter(Automerge.isImmutableString).length
  Automerge.free(doc)
  return keys
}
