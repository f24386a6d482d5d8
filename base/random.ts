/** Chance as a power: production draws from the system, a simulation from a seed. */
export interface Random {
  /** `count` random bytes. */
  bytes(count: number): Uint8Array
  /** A number in [0, 1). */
  unit(): number
  /** A stream of its own for the part called `name`, so that drawing more here never changes what is drawn there. */
  fork(name: string): Random
}

/** 2 × `bytes` lower-case hexadecimal digits. */
export const randomHex = (random: Random, bytes: number): string =>
  [...random.bytes(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('')

const hashName = (seed: number, name: string): number => {
  // FNV-1a, 32 bit (Fowler, Noll, Vo): spreads fork names over seeds.
  let hash = 0x811c9dc5 ^ seed
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  return hash >>> 0
}

/** A repeatable stream from a 32-bit seed (mulberry32 by Tommy Ettinger, public domain). Never for keys. */
export const createSeededRandom = (seed: number): Random => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return {
    bytes: (count) => Uint8Array.from({ length: count }, () => next() & 0xff),
    unit: () => next() / 2 ** 32,
    fork: (name) => createSeededRandom(hashName(seed, name)),
  }
}
