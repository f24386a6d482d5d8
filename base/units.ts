import { SkerryError } from './errors.ts'

const partMs = { y: 365 * 86_400_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const
const durationPattern = /^(?:(\d+)y)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/

/**
 * Milliseconds of a duration like `1y2d5h` or `10m30s` (a year is 365 days).
 * @throws {SkerryError} `invalid-duration` when the text is none.
 */
export const parseDurationMs = (text: string): number => {
  const parts = text === '' ? null : durationPattern.exec(text)
  const units = Object.values(partMs)
  const totalMs = parts?.slice(1).reduce((sum, part, at) => sum + Number(part ?? 0) * (units[at] ?? 0), 0)
  if (totalMs === undefined || !Number.isSafeInteger(totalMs))
    throw new SkerryError('invalid-duration', `${JSON.stringify(text)} is not a duration: write it like 10m30s`)
  return totalMs
}

/** The shortest exact text of a duration down to seconds: `1d5h`, `90s` becomes `1m30s`; `0s` for less than one. */
export const formatDuration = (durationMs: number): string => {
  let restMs = Math.max(0, Math.round(durationMs / 1000) * 1000)
  let text = ''
  for (const [unit, unitMs] of Object.entries(partMs)) {
    const count = Math.floor(restMs / unitMs)
    if (count > 0) text += `${count}${unit}`
    restMs -= count * unitMs
  }
  return text === '' ? '0s' : text
}

const sizeUnits: Readonly<Record<string, number>> = {
  '': 1, B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12,
  KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40,
} // biome-ignore format: a table

/**
 * Bytes of a size like `10GB`, `500MiB` or `100 MB`.
 * @throws {SkerryError} `invalid-size` when the text is none.
 */
export const parseSizeBytes = (text: string): number => {
  const parts = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text)
  const unit = parts && sizeUnits[parts[2] ?? '']
  const bytes = parts && unit ? Math.round(Number(parts[1]) * unit) : Number.NaN
  if (!Number.isSafeInteger(bytes))
    throw new SkerryError('invalid-size', `${JSON.stringify(text)} is not a size: write it like 500MiB or 10GB`)
  return bytes
}

/** A size for people: `64.0 MiB`, `512 B`. */
export const formatSize = (bytes: number): string => {
  const unit = (['TiB', 'GiB', 'MiB', 'KiB'] as const).find((name) => bytes >= (sizeUnits[name] ?? 1))
  return unit ? `${(bytes / (sizeUnits[unit] ?? 1)).toFixed(1)} ${unit}` : `${bytes} B`
}
