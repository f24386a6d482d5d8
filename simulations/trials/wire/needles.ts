import { type Random, randomHex } from '../../../base/index.ts'

/** Every canary word begins with this: one look finds any of them, in each way of writing it. */
const opening = 'zqkwjx'
const tailLetters = 12
/** Letters of a canary word. */
export const wordLength = opening.length + tailLetters

/** A word nobody else writes, fit for a name, a label or a line. */
export const drawWord = (random: Random): string =>
  opening +
  [...randomHex(random, tailLetters / 2)].map((digit) => 'abcdefghijklmnop'[Number.parseInt(digit, 16)]).join('')

export type Writing = 'utf-8' | 'utf-16' | 'hex' | 'base64'

/** One place in some bytes at which a needle stands. */
export interface Hit {
  readonly needle: string
  readonly writing: Writing
  readonly at: number
}

interface Form {
  readonly writing: Writing
  readonly pattern: Buffer
  /** The word that begins with the pattern found at `at`. */
  readonly wordAt: (bytes: Buffer, at: number) => string
}

const swapped = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16()

/**
 * Base64 writes three bytes as four letters, so a word looks different after 0, 1 or 2 other bytes. The first and the last
 * letters of the opening depend on what stands around it and are left out.
 */
const base64Form = (shift: number): Form => {
  const whole = Buffer.from('\0'.repeat(shift) + opening).toString('base64')
  const from = Math.ceil((shift * 8) / 6)
  const until = Math.floor(((shift + opening.length) * 8) / 6)
  return {
    writing: 'base64',
    pattern: Buffer.from(whole.slice(from, until)),
    wordAt: (bytes, at) => {
      const start = at - from
      if (start < 0) return ''
      const letters = bytes.toString('latin1', start, start + Math.ceil(((shift + wordLength) * 8) / 6))
      return Buffer.from(letters, 'base64').toString('latin1', shift, shift + wordLength)
    },
  }
}

const hexForm = (pattern: string): Form => ({
  writing: 'hex',
  pattern: Buffer.from(pattern),
  wordAt: (bytes, at) => Buffer.from(bytes.toString('latin1', at, at + 2 * wordLength), 'hex').toString('latin1'),
})

const openingHex = Buffer.from(opening).toString('hex')
const forms: readonly Form[] = [
  {
    writing: 'utf-8',
    pattern: Buffer.from(opening),
    wordAt: (bytes, at) => bytes.toString('latin1', at, at + wordLength),
  },
  {
    writing: 'utf-16',
    pattern: Buffer.from(opening, 'utf16le'),
    wordAt: (bytes, at) => bytes.toString('utf16le', at, at + 2 * wordLength),
  },
  {
    writing: 'utf-16',
    pattern: swapped(opening),
    wordAt: (bytes, at) => {
      const piece = Buffer.from(bytes.subarray(at, at + 2 * wordLength))
      return piece.length === 2 * wordLength ? piece.swap16().toString('utf16le') : ''
    },
  },
  hexForm(openingHex),
  hexForm(openingHex.toUpperCase()),
  ...[0, 1, 2].map(base64Form),
]

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const wordPattern = new RegExp(`^${opening}[a-p]{${tailLetters}}$`)

/** Every canary word in some bytes, in utf-8, utf-16 (both orders), hexadecimal and base64. */
export const wordsIn = (bytes: Uint8Array): readonly Hit[] => {
  const buffer = bufferOf(bytes)
  return forms.flatMap(({ writing, pattern, wordAt }) => {
    const hits: Hit[] = []
    for (let at = buffer.indexOf(pattern); at >= 0; at = buffer.indexOf(pattern, at + 1)) {
      const needle = wordAt(buffer, at)
      if (wordPattern.test(needle)) hits.push({ needle, writing, at })
    }
    return hits
  })
}

/** How a key or an id of raw bytes may be written. */
const rawForms = (key: Uint8Array): readonly { readonly writing: Writing; readonly pattern: Buffer }[] => {
  const hex = Buffer.from(key).toString('hex')
  const base64 = [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), key]).toString('base64')
    return whole.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + key.length) * 8) / 6))
  })
  return [
    { writing: 'utf-8', pattern: Buffer.from(key) },
    ...[hex, hex.toUpperCase()].map((text) => ({ writing: 'hex' as const, pattern: Buffer.from(text) })),
    ...base64.map((text) => ({ writing: 'base64' as const, pattern: Buffer.from(text) })),
  ]
}

/**
 * Finds raw bytes, like keys, by their names, as they are, in hexadecimal and in base64.
 * @param keys at least 8 bytes each
 */
export const createKeySearch = (keys: ReadonlyMap<string, Uint8Array>): ((bytes: Uint8Array) => readonly Hit[]) => {
  const known = [...keys].map(([needle, key]) => ({ needle, patterns: rawForms(key) }))
  return (bytes) => {
    const buffer = bufferOf(bytes)
    return known.flatMap(({ needle, patterns }) =>
      patterns.flatMap(({ writing, pattern }) => {
        const at = buffer.indexOf(pattern)
        return at < 0 ? [] : [{ needle, writing, at }]
      }),
    )
  }
}
