import type { ContainerOwner, Containers } from './containers.ts'

/** What stands before a container's last line at the end of a detail: from there on it is a line of a log. */
export const lastLineMark = '; last line: '

/** Enough of the tail to hold one long line. */
const tailBytes = 4_096

/** The last line in `text` that says something, without control characters, cut to `maxBytes` characters. */
export const lastLineOf = (text: string, maxBytes: number): string => {
  const lines = text.split(/[\r\n]+/).map((line) => line.replace(/\p{Cc}+/gu, ' ').trim())
  return (lines.findLast((line) => line !== '') ?? '').slice(0, maxBytes)
}

/** The last line a container wrote; empty when there is none or it cannot be read. */
export const readLastLine = async (
  containers: Containers,
  owner: Pick<ContainerOwner, 'tenant' | 'instance' | 'container'>,
  maxBytes: number,
): Promise<string> => {
  if (maxBytes === 0) return ''
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const { bytes } of containers.readLog(owner, { tailBytes, follow: false }))
      text += decoder.decode(bytes, { stream: true })
  } catch {
    // A hint for people; no log is no failure.
  }
  return lastLineOf(text, maxBytes)
}
