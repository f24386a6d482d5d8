import type { Version } from './applications.ts'

/** What is to run of an application; undefined where its deployment is removed. */
export type Wanted = Version | undefined

/** `unknown`: no answer came, so that it is in force or not. `refused`: it is not, and the answer said so. */
export type Answer = 'acknowledged' | 'unknown' | 'refused'

interface Change {
  readonly application: string
  readonly to: Wanted
  answer: Answer | 'asked'
}

/** What may have happened to an application since a moment. */
export interface Touched {
  readonly changed: boolean
  readonly removed: boolean
}

/** Every change that was asked for, what was answered, and what must therefore hold. */
export const createChangeLedger = (first: ReadonlyMap<string, Wanted>) => {
  const changes: Change[] = [...first].map(([application, to]) => ({ application, to, answer: 'acknowledged' }))

  const of = (application: string) =>
    changes.filter((one) => one.application === application && one.answer !== 'refused')

  /** Oldest first: what the last acknowledged change asks for, and whatever was asked after it without an answer. */
  const candidates = (application: string): readonly Wanted[] => {
    const own = of(application)
    return own.slice(own.findLastIndex(({ answer }) => answer === 'acknowledged')).map(({ to }) => to)
  }

  return {
    /** Writes down that a change is asked for, before it is; answers where its answer goes. */
    ask: (application: string, to: Wanted): ((answer: Answer) => void) => {
      const change: Change = { application, to, answer: 'asked' }
      changes.push(change)
      return (answer) => {
        change.answer = answer
      }
    },
    candidates,
    /**
     * Takes what was found to be in force; from here on it is known which of the candidates that is.
     * @returns what is wrong with it; undefined where it is one of them
     */
    learn: (application: string, found: Wanted): string | undefined => {
      const may = candidates(application)
      if (may.length > 1 || may[0] !== found) changes.push({ application, to: found, answer: 'acknowledged' })
      if (may.includes(found)) return undefined
      const words = (wanted: Wanted) => wanted ?? 'removed'
      return `${application} is ${words(found)} although what was acknowledged is ${may.map(words).join(' or ')}`
    },
    /** A moment to look back to. */
    mark: (): number => changes.length,
    touchedSince: (mark: number, application: string): Touched => {
      const since = changes.slice(mark).filter((one) => one.application === application && one.answer !== 'refused')
      return { changed: since.length > 0, removed: since.some(({ to }) => to === undefined) }
    },
    count: (answer: Answer): number =>
      changes.filter((one) => one.answer === answer).length - (answer === 'acknowledged' ? first.size : 0),
  }
}

export type ChangeLedger = ReturnType<typeof createChangeLedger>
