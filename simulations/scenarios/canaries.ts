/** A register of marks in names and values, so that whatever carries them is found wherever it is; who may hold a thing may become more, never less: what has left is not unsent. */
export interface CanaryRegister {
  /** @param thing letters and digits @returns the mark */
  add(thing: string, machines: Iterable<string>): string
  /** Whether `machine` may hold the thing `canary` marks; undefined for a mark nobody made. */
  mayHold(canary: string, machine: string): boolean | undefined
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

const markPattern = /q7-[^\n]{1,40}?-7q/g

/** How the beginning of a mark looks in base64, by the bytes before it in its group of three, and how far in it begins. */
const inBase64 = [
  { seen: 'cTct', before: 0 },
  { seen: 'E3L', before: 2 },
  { seen: 'xNy', before: 3 },
] as const
const inHex = Buffer.from(opening).toString('hex')

const addPlain = (bytes: Buffer, found: Set<string>) => {
  for (let at = bytes.indexOf(opening); at >= 0; at = bytes.indexOf(opening, at + 1)) {
    const end = bytes.indexOf(closing, at + opening.length)
    if (end > 0 && end - at <= longest) found.add(bytes.toString('latin1', at, end + closing.length))
  }
}

/** Signed bytes travel in JSON as text: what they say is as plain there as anywhere. */
const addEncoded = (bytes: Buffer, found: Set<string>) => {
  const addDecoded = (from: number, encoding: 'base64' | 'hex') => {
    const text = Buffer.from(bytes.toString('latin1', from, from + 2 * longest + 16), encoding).toString('latin1')
    for (const [canary] of text.matchAll(markPattern)) found.add(canary)
  }
  for (const { seen, before } of inBase64)
    for (let at = bytes.indexOf(seen); at >= 0; at = bytes.indexOf(seen, at + 1))
      if (at >= before) addDecoded(at - before, 'base64')
  for (let at = bytes.indexOf(inHex); at >= 0; at = bytes.indexOf(inHex, at + 1)) addDecoded(at, 'hex')
}

/** Canaries in some bytes, each once; also where they are written in base64 or in hexadecimal digits. */
export const canariesIn = (content: Uint8Array | string): readonly string[] => {
  const bytes =
    typeof content === 'string'
      ? Buffer.from(content, 'latin1')
      : Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const found = new Set<string>()
  addPlain(bytes, found)
  addEncoded(bytes, found)
  return [...found]
}
