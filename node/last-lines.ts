import * as z from 'zod'
import { canonicalJson } from '../base/index.ts'
import type { Hash } from '../crdt/index.ts'
import { toHex } from '../crdt/index.ts'
import { type HostStatus, lastLineMark, type Waiting } from '../runtime/index.ts'

/** What a failing container wrote last. A line of a log: it leaves a zone where its logs do, and not with its reports. */
const lineSchema = z.object({
  application: z.string().max(255),
  instance: z.string().max(255).optional(),
  container: z.string().max(255).optional(),
  text: z.string().max(1_000),
})

/** Last lines beside the report they were taken out of. The report's signature covers their hash; the salt hides them. */
export const lastLinesSchema = z.object({
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  lines: z.array(lineSchema).max(10_000),
})
export type LastLines = z.infer<typeof lastLinesSchema>
type LastLine = LastLines['lines'][number]

const nameOf = ({ application, instance = '', container = '' }: Omit<LastLine, 'text'>) =>
  `${application} ${instance} ${container}`

const aboutOf = (application: string, { instance, container }: Waiting) => ({
  application,
  ...(instance !== undefined && { instance }),
  ...(container !== undefined && { container }),
})

const withWaiting = (status: HostStatus, change: (application: string, one: Waiting) => Waiting): HostStatus => ({
  ...status,
  applications: status.applications.map((application) => ({
    ...application,
    waiting: application.waiting.map((one) => change(application.application, one)),
  })),
})

/** Takes the last lines out of a status. */
export const splitLastLines = (
  status: HostStatus,
): { readonly status: HostStatus; readonly lines: readonly LastLine[] } => {
  const lines: LastLine[] = []
  const rest = withWaiting(status, (application, one) => {
    // The first mark: nothing of what a container wrote can stand before it.
    const at = one.detail.indexOf(lastLineMark)
    if (at < 0) return one
    lines.push({ ...aboutOf(application, one), text: one.detail.slice(at + lastLineMark.length) })
    return { ...one, detail: one.detail.slice(0, at) }
  })
  return { status: rest, lines }
}

/** Puts the lines back where they were. */
export const joinLastLines = (status: HostStatus, lines: readonly LastLine[]): HostStatus => {
  const left = new Map<string, string[]>()
  for (const line of lines) left.set(nameOf(line), [...(left.get(nameOf(line)) ?? []), line.text])
  return withWaiting(status, (application, one) => {
    const text = left.get(nameOf(aboutOf(application, one)))?.shift()
    return text === undefined ? one : { ...one, detail: `${one.detail}${lastLineMark}${text}` }
  })
}

/** 64 hexadecimal digits over salt and lines. */
export const lastLinesHash = ({ salt, lines }: LastLines, hash: Hash): string =>
  toHex(hash.sha256(Buffer.from(canonicalJson({ lines: lines.map((line) => ({ ...line })), salt }))))
