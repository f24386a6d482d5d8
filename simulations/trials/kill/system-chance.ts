import { randomBytes } from 'node:crypto'
import type { Random } from '../../../base/index.ts'

/** Chance of the machine, for documents that are only read. */
export const systemRandom: Random = {
  bytes: (count) => new Uint8Array(randomBytes(count)),
  unit: () => randomBytes(4).readUInt32BE() / 2 ** 32,
  fork: () => systemRandom,
}
