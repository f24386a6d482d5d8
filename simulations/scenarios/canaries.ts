import type { Canaries } from './checker.ts'

/** A register of marks; who may hold a thing may become more, never less: what has left is not unsent. */
export interface CanaryRegister extends Canaries {
  /** @param thing letters and digits @returns the mark */
  add(thing: string, machines: Iterable<string>): string
}

const opening = 'q7-'
const closing = '-7q'
const longest = 40

/** The mark of a thing, fit for a name: `q7-n1-7q`. Nothing else in a world looks like it. */
export const canaryOf = (thing: string): string => `${opening}${thing}${closing}`

/** The thing a mark is of; empty for a text that is none. */
export const thingOf = (text: string): string =>
  text.startsWith(opening) && text.endsWith(closing) ? text.slice(opening.length, -closing.length) : ''

export const createCanaries = (): CanaryRegister => {
  const holders = new Map<string, Set<string>>()
  return {
    add: (thing, machines) => {
      const canary = canaryOf(thing)
      const known = holders.get(canary) ?? new Set<string>()
      holders.set(canary, known)
      for (const machine of machines) known.add(machine)
      return canary
    },
    mayHold: (canary, machine) => holders.get(canary)?.has(machine),
  }
}

/** Canaries in some bytes, each once. */
export const canariesIn = (content: Uint8Array | string): readonly string[] => {
  const bytes =
    typeof content === 'string'
      ? Buffer.from(content, 'latin1')
      : Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const found = new Set<string>()
  for (let at = bytes.indexOf(opening); at >= 0; at = bytes.indexOf(opening, at + 1)) {
    const end = bytes.indexOf(closing, at + opening.length)
    if (end > 0 && end - at <= longest) found.add(bytes.toString('latin1', at, end + closing.length))
  }
  return [...found]
}
