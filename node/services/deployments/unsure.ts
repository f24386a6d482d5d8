import { formatDuration } from '../../../base/index.ts'
import { type HostReport, seenAgeMs, statusAgeMs, type Unsure } from './report.ts'

/**
 * Why what a host last said cannot be taken for how things are now, or undefined when it can.
 * @param staleMs age from which a report is too old, in milliseconds.
 */
export const unsureOf = (report: HostReport | undefined, staleMs: number): Unsure | undefined => {
  if (!report || report.link === 'never') return { reason: 'never-heard', text: 'never heard of' }
  const { linkForMs, status, receivedAgeMs } = report
  if (report.link === 'down')
    return { reason: 'link-down', sinceMs: linkForMs, text: `link down for ${formatDuration(linkForMs)}` }
  if (!status || receivedAgeMs === undefined)
    return { reason: 'never-heard', sinceMs: linkForMs, text: 'connected, but it has not reported yet' }
  if (status.engine.state === 'unavailable') {
    const sinceMs = status.engine.forMs + statusAgeMs(report)
    return { reason: 'engine-unavailable', sinceMs, text: `its engine has not answered for ${formatDuration(sinceMs)}` }
  }
  const ageMs = seenAgeMs(report)
  if (ageMs === undefined)
    return { reason: 'never-heard', sinceMs: linkForMs, text: 'it has not looked at its containers yet' }
  return ageMs > staleMs
    ? { reason: 'report-old', sinceMs: ageMs, text: `last report is ${formatDuration(ageMs)} old` }
    : undefined
}
