/**
 * Ports and value types everyone needs: clock, random, log, errors, ids, units, canonical JSON.
 * Must not import anything of ours, do I/O, or hold behaviour of the product.
 * Read first: clock.ts, errors.ts.
 */
export { canonicalJson, type Json } from './canonical.ts'
export { type Clock, createManualClock, type ManualClock, sleep, type Timer } from './clock.ts'
export {
  describeProblem,
  type ErrorDetails,
  errorText,
  InvalidInputError,
  nameHint,
  nearestName,
  type Problem,
  SkerryError,
} from './errors.ts'
export {
  type Digest,
  type Name,
  namePattern,
  parseName,
  parseScopePath,
  type ScopePath,
  type Version,
  versionPattern,
} from './ids.ts'
export { createLog, type Log, type LogFields, type LogLevel, type LogLine, silentLog } from './log.ts'
export { createSeededRandom, type Random, randomHex } from './random.ts'
export { formatDuration, formatSize, parseDurationMs, parseSizeBytes } from './units.ts'
