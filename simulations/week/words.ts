import { formatDuration } from '../../base/index.ts'

/** A time span for people; what is seen once a second is not more exact than that. */
export const spanWords = (ms: number): string => (ms <= 1_000 ? 'a second' : formatDuration(ms))

/** `within a second`, `after 9m30s`. */
export const afterWords = (ms: number): string => (ms <= 1_000 ? 'within a second' : `after ${spanWords(ms)}`)

const shownNames = 4

/** Some names in a sentence: all of few, the first of many. */
export const listWords = (names: readonly string[]): string => {
  if (names.length > shownNames + 1)
    return `${names.slice(0, shownNames).join(', ')} and ${names.length - shownNames} more`
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

export const countWords = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`

/** `02:05`, or `1:02:05`: time since a beginning. */
export const clockWords = (ms: number): string => {
  const seconds = Math.floor(ms / 1_000)
  const two = (number: number) => String(number).padStart(2, '0')
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return seconds < 3_600 ? rest : `${Math.floor(seconds / 3_600)}:${rest}`
}

/** A date and time of a wall clock, in UTC. */
export const dateWords = (wallMs: number): string => new Date(wallMs).toISOString().slice(0, 16).replace('T', ' ')
