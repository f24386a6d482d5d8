import { createHash } from 'node:crypto'

const space = 2n ** 256n

/** What one run adds to the digest of a range: 256 bits over what was run and everything that happened. */
export const digestOfRun = (run: {
  readonly scenario: string
  readonly seed: number
  readonly digest: string
}): string => createHash('sha256').update(`${run.scenario} ${run.seed} ${run.digest}\n`).digest('hex')

/**
 * The sum of digests modulo 2 to the 256th. The digest of a range is the sum over its runs, so those of ranges that do not
 * overlap add up to that of both, whatever the order.
 */
export const sumDigests = (digests: Iterable<string>): string => {
  let sum = 0n
  for (const digest of digests) sum = (sum + BigInt(`0x${digest}`)) % space
  return sum.toString(16).padStart(64, '0')
}
