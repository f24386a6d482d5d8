import { malformed } from './change-refusal.ts'

/** Reads forward through bytes; every read is checked against the end and against the one shortest form of a number. */
export interface ByteCursor {
  readonly left: () => number
  /** The next `count` bytes, not copied. */
  readonly take: (count: number) => Uint8Array
  /** An unsigned LEB128 number up to 2^53 - 1. */
  readonly unsigned: () => number
  /** A signed LEB128 number of at most 53 bits and sign. */
  readonly signed: () => number
}

/** LEB128 of 8 bytes holds 56 bits: every safe integer, and nothing that takes long. */
const maxNumberBytes = 8

/** @throws {ChangeRefused} by its reads, when the bytes end early or a number is not in its shortest form */
export const createByteCursor = (bytes: Uint8Array): ByteCursor => {
  let at = 0
  const digits = (): number[] => {
    const found: number[] = []
    for (;;) {
      const byte = bytes[at++]
      if (byte === undefined) throw malformed('it ends inside a number')
      found.push(byte & 0x7f)
      if (byte < 0x80) return found
      if (found.length === maxNumberBytes) throw malformed('a number is too large')
    }
  }
  const numberOf = (found: readonly number[]): number => found.reduceRight((sum, digit) => sum * 128 + digit, 0)
  const safe = (value: number): number => {
    if (!Number.isSafeInteger(value)) throw malformed('a number is too large')
    return value
  }
  return {
    left: () => bytes.length - at,
    take: (count) => {
      if (count > bytes.length - at) throw malformed('it ends early')
      at += count
      return bytes.subarray(at - count, at)
    },
    unsigned: () => {
      const found = digits()
      if (found.length > 1 && found.at(-1) === 0) throw malformed('a number is longer than needed')
      return safe(numberOf(found))
    },
    signed: () => {
      const found = digits()
      const last = found.at(-1) ?? 0
      const before = found.at(-2)
      const isNegative = last >= 0x40
      if (before !== undefined && last === (isNegative ? 0x7f : 0) && before >= 0x40 === isNegative)
        throw malformed('a number is longer than needed')
      // Of the complement, as the digits themselves stand for up to 2^56 and would be rounded.
      return safe(isNegative ? -1 - numberOf(found.map((digit) => 0x7f - digit)) : numberOf(found))
    },
  }
}
