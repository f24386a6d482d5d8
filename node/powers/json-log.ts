import { createLog, type Log, type LogLevel } from '../../base/index.ts'
import { systemClock } from './system-clock.ts'

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** A log of one JSON object a line on standard error, from `level` up. */
export const createJsonLog = (level: LogLevel, name: string): Log =>
  createLog(({ level: at, part, message, fields }) => {
    if (order.indexOf(at) < order.indexOf(level)) return
    const time = new Date(systemClock.wallMs()).toISOString()
    process.stderr.write(`${JSON.stringify({ time, level: at, part, message, ...fields })}\n`)
  }, name)
