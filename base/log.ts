export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Plain values that help to find the object a line speaks of. Never a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** Where a part says what it does. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** The same log with `part` in every line. */
  child(part: string): Log
}

export interface LogLine {
  readonly level: LogLevel
  readonly part: string
  readonly message: string
  readonly fields: LogFields
}

/** A log that hands each line to `write`. */
export const createLog = (write: (line: LogLine) => void, part = 'node'): Log => {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) =>
      write({ level, part, message, fields })
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (name) => createLog(write, `${part}.${name}`),
  }
}

/** A log nobody reads. */
export const silentLog: Log = createLog(() => {})
