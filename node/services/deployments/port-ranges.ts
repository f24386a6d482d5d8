import type { Refusal } from './field-checks.ts'

/** Ports one service may open per protocol: each takes a port of the host's range. */
const maxPorts = 64

/**
 * The ports of a text like `80,443,8000-8003` (or one number), in the order written.
 * What is no such text comes back as a refusal.
 */
export const parsePortRanges = (value: unknown): readonly number[] | Refusal => {
  const text = typeof value === 'number' ? String(value) : value
  const suggestion = 'write ports and ranges like "80,443" or "8000-8003"'
  if (typeof text !== 'string' || text.length > 1_000) return { message: 'is not a list of ports', suggestion }
  const ports: number[] = []
  for (const part of text.split(',')) {
    const range = /^\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*$/.exec(part)
    if (!range) return { message: `${JSON.stringify(part)} is not a port or a range of ports`, suggestion }
    const first = Number(range[1])
    const last = Number(range[2] ?? range[1])
    if (first < 1 || last > 65_535) return { message: `${part.trim()} is outside 1 to 65535`, suggestion }
    if (last < first) return { message: `${part.trim()} runs backwards`, suggestion: `write ${last}-${first}` }
    if (ports.length + last - first + 1 > maxPorts)
      return { message: `opens more than ${maxPorts} ports`, suggestion: 'name the ports that are used' }
    for (let port = first; port <= last; port++) ports.push(port)
  }
  const twice = ports.find((port, at) => ports.indexOf(port) !== at)
  return twice === undefined ? ports : { message: `port ${twice} is named twice`, suggestion: 'name each port once' }
}
