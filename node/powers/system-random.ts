import { randomBytes } from 'node:crypto'
import type { Random } from '../../base/index.ts'

/** Chance from the operating system; every fork draws from the same source. */
export const systemRandom: Random = {
  bytes: (count) => new Uint8Array(randomBytes(count)),
  unit: () => randomBytes(4).readUInt32BE() / 2 ** 32,
  fork: () => systemRandom,
}
